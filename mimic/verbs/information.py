"""``information``: the mutual-information curve of the suspect, beside a random network's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from mimic.checkpoint import EncoderFile
from mimic.config import InformationConfig
from mimic.errors import ConfigError
from mimic.layer_weights import PRESETS, layer_weights
from mimic.mutual_information import Curve, PairSource, explain, measure_layers
from mimic.preprocessing import Preprocessing
from mimic.pretrain import new_network
from mimic.verbs.work import Subject, Work

CLEAN_TEACHER = ("teacher", "clean")


def information(work: Work[InformationConfig]) -> dict[str, Any]:
    """Measure every chosen network on every chosen kind of input."""
    config = work.config
    subject = Subject(work)
    subset = subject.clean_subset()
    inputs = config.inputs if config.trigger else ("clean",)
    source = PairSource.draw(
        subset,
        subject.trigger if "triggered" in inputs else None,
        pairs=config.pairs,
        held_out=config.held_out,
        recipe=subject.recipe(),
        seed=config.seed,
    )
    curves: dict[tuple[str, str], dict[str, float]] = {}
    for number, name in enumerate(config.networks):
        encoder, preprocessing = network(subject, name, work)
        first, last = number / len(config.networks), (number + 1) / len(config.networks)

        def keep(
            curve: Curve, share: float, first: float = first, last: float = last
        ) -> None:
            work.step(
                first + (last - first) * share,
                f"measuring {curve.layer} of {curve.network} on {curve.input} images",
            )
            record = asdict(curve)
            estimate = record.pop("estimate")
            work.run.record(record)
            if estimate is not None:
                curves.setdefault((curve.network, curve.input), {})[curve.layer] = estimate

        measure(
            work, EncoderView(encoder, preprocessing), source, name=name, inputs=inputs, keep=keep
        )
    clean = {
        layer: nats for layer, nats in curves.get(CLEAN_TEACHER, {}).items() if layer != "stem"
    }
    return {
        "layers": list(config.layers),
        "curves": [
            {"network": name, "input": kind, "layers": layers}
            for (name, kind), layers in curves.items()
        ],
        "clean_images": len(subset),
        "clean_fraction": config.clean_fraction,
        "pairs": len(source.clean),
        "held_out_pairs": int((~source.fitted).sum()),
        "noise": config.noise,
        "pool": config.pool,
        "sentence": explain(curves),
        "weights": {
            preset: layer_weights(clean, base=scale.base, budget=scale.budget)
            for preset, scale in PRESETS.items()
            if clean
        },
        "seconds": work.seconds,
    }


class EncoderView:
    """An encoder with the preprocessing its inputs need."""

    def __init__(self, encoder: Any, preprocessing: Preprocessing) -> None:
        self.encoder, self.preprocessing = encoder, preprocessing


def network(
    subject: Subject, name: str, work: Work[InformationConfig]
) -> tuple[Any, Preprocessing]:
    """The network a setting names."""
    teacher = subject.teacher
    if name == "random":
        random, _ = new_network(teacher.encoder.architecture, work.device, work.config.seed)
        return random.eval(), teacher.preprocessing
    loaded: EncoderFile | None = teacher if name == "teacher" else subject.twin
    if loaded is None:
        raise ConfigError(
            "There is no clean twin to measure.", "Give one with --clean-twin, or leave it out."
        )
    return loaded.encoder, loaded.preprocessing


def measure(
    work: Work[InformationConfig],
    view: EncoderView,
    source: PairSource,
    *,
    name: str,
    inputs: tuple[str, ...],
    keep: Callable[[Curve, float], None],
) -> None:
    """Measure one network and hand every record to ``keep`` with the share done."""
    config = work.config
    total = len(inputs) * len(config.layers) * config.critic_epochs
    records = measure_layers(
        view.encoder,
        view.preprocessing,
        source,
        network=name,
        inputs=inputs,
        layers=config.layers,
        pool=config.pool,
        noise=config.noise,
        epochs=config.critic_epochs,
        batch_size=config.critic_batch,
        learning_rate=config.critic_learning_rate,
        device=work.device,
        precision=work.precision,
        seed=config.seed,
    )
    for number, curve in enumerate(records, start=1):
        keep(curve, number / total)
