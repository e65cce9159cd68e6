"""``information``: the mutual-information curve of the suspect, beside a random network's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from mimic.config import InformationConfig
from mimic.encoder import Encoder, new_network
from mimic.errors import ConfigError
from mimic.layer_weights import PRESETS, layer_weights
from mimic.mutual_information import Curve, Measurement, PairSource, explain, measure_layers
from mimic.preprocessing import Preprocessing
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
    total = len(config.networks) * len(inputs) * len(config.layers) * config.critic_epochs
    for number, curve in enumerate(records(work, subject, source, inputs), start=1):
        record = asdict(curve)
        estimate = record.pop("estimate")
        work.run.record(record)
        if estimate is not None:
            curves.setdefault((curve.network, curve.input), {})[curve.layer] = estimate
        message = f"measuring {curve.layer} of {curve.network} on {curve.input} images"
        work.step(number / total, message)
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


def records(
    work: Work[InformationConfig], subject: Subject, source: PairSource, inputs: tuple[str, ...]
) -> Iterator[Curve]:
    """One record per critic epoch, network by network."""
    for name in work.config.networks:
        encoder, preprocessing = network(subject, name, work)
        yield from measure_layers(
            encoder,
            preprocessing,
            source,
            Measurement.from_config(work.config),
            network=name,
            inputs=inputs,
            device=work.device,
            precision=work.precision,
        )


def network(
    subject: Subject, name: str, work: Work[InformationConfig]
) -> tuple[Encoder, Preprocessing]:
    """The network a setting names.

    Raises:
        ConfigError: if it is the clean twin and none is given.
    """
    teacher = subject.teacher
    if name == "random":
        random, _ = new_network(teacher.encoder.architecture, work.device, work.config.seed)
        return random.eval(), teacher.preprocessing
    loaded = teacher if name == "teacher" else subject.twin
    if loaded is None:
        raise ConfigError(
            "There is no clean twin to measure.", "Give one with --clean-twin, or leave it out."
        )
    return loaded.encoder, loaded.preprocessing
