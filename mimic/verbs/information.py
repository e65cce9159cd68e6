"""``information``: the mutual-information curve of the suspect, beside a random network's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from mimic.config.information import PROBE_IMAGES, InformationConfig
from mimic.curve_reading import DATA_PROCESSING, explain
from mimic.encoder import Encoder, new_network
from mimic.errors import ConfigError
from mimic.layer_weights import PRESETS, layer_weights
from mimic.mutual_information import (
    Curve,
    Measurement,
    PairSource,
    Reading,
    cross_check,
    estimator_named,
    measure_layers,
)
from mimic.preprocessing import Preprocessing
from mimic.verbs.work import JUDGING_SEED, Subject, Work

NETWORKS = {"teacher": "the suspect", "random": "an untrained network",
            "clean_twin": "the clean twin"}  # fmt: skip
INPUTS = {"clean": "clean images", "triggered": "images with the trigger"}
CLEAN_TEACHER = ("teacher", "clean")
MEASURING_SHARE = 0.95


def information(work: Work[InformationConfig]) -> dict[str, Any]:
    """Measure every chosen network on every chosen kind of input."""
    config = work.config
    estimator = estimator_named(config.estimator)
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
    readings: dict[tuple[str, str], dict[str, Reading]] = {}
    total = len(config.networks) * len(inputs) * len(config.layers) * config.critic_epochs
    for number, curve in enumerate(records(work, subject, source, inputs), start=1):
        record = asdict(curve)
        record.pop("reading")
        work.run.record(record)
        if curve.reading is not None:
            readings.setdefault((curve.network, curve.input), {})[curve.layer] = curve.reading
        work.step(MEASURING_SHARE * min(1.0, number / total), at_work(curve))
    curves = {key: {n: r.nats for n, r in layers.items()} for key, layers in readings.items()}
    clean = {
        layer: nats for layer, nats in curves.get(CLEAN_TEACHER, {}).items() if layer != "stem"
    }
    described = [describe(key, layers) for key, layers in readings.items()]
    candidates = min((r.candidates for c in readings.values() for r in c.values()), default=0)
    as_published = config.preset == "authors"
    return {
        "layers": list(config.layers),
        "curves": described,
        "clean_images": len(subset),
        "clean_fraction": config.clean_fraction,
        "pairs": len(source.clean),
        "held_out_pairs": 0 if as_published else int((~source.fitted).sum()),
        "noise": config.noise,
        "pool": config.pool,
        "projection": config.projection,
        "preset": config.preset,
        "estimator": estimator.name,
        "estimator_title": estimator.title,
        # Scored on its own pairs, the formula of a lower bound bounds nothing.
        "direction": "neither" if as_published else estimator.direction,
        "ceiling": estimator.ceiling(candidates),
        "reference": estimator.reference,
        "critics": config.critics,
        "data_processing": DATA_PROCESSING,
        "companions": companions(work, subject, source),
        "sentence": explain(described),
        "weights": {
            preset: layer_weights(clean, base=scale.base, budget=scale.budget)
            for preset, scale in PRESETS.items()
            if clean
        },
        "seconds": work.seconds,
    }


def at_work(curve: Curve) -> str:
    """What is being measured, in plain words."""
    layer = "the first stage (stem)" if curve.layer == "stem" else curve.layer
    return f"measuring {layer} of {NETWORKS[curve.network]} on {INPUTS[curve.input]}"


def describe(key: tuple[str, str], layers: dict[str, Reading]) -> dict[str, Any]:
    """One curve of the result."""
    name, kind = key
    return {
        "network": name,
        "input": kind,
        "layers": {layer: reading.nats for layer, reading in layers.items()},
        "bands": {layer: list(reading.band) for layer, reading in layers.items()},
        "verdicts": {layer: asdict(reading.verdict) for layer, reading in layers.items()},
        "upper_bound": next(iter(layers.values())).upper_bound,
    }


def companions(
    work: Work[InformationConfig], subject: Subject, source: PairSource
) -> list[dict[str, Any]]:
    """The cross-check of every network, layer by layer."""
    labelled = None
    if subject.is_labelled:
        labelled = (
            subject.train.sample(PROBE_IMAGES, seed=JUDGING_SEED),
            subject.test.sample(PROBE_IMAGES, seed=JUDGING_SEED),
        )
    rows = []
    for name in work.config.networks:
        work.step(MEASURING_SHARE, f"checking the layers of {NETWORKS[name]} in other ways")
        found = cross_check(
            *network(subject, name, work),
            source,
            Measurement.from_config(work.config),
            labelled=labelled,
            device=work.device,
        )
        rows += [{"network": name, **asdict(companion)} for companion in found]
    return rows


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
