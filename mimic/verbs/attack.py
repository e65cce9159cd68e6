"""``attack``: a test subject with a known backdoor, made by BadEncoder from a clean encoder."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np

from mimic.attack import implant
from mimic.checkpoint import save_badencoder, save_encoder
from mimic.config import AttackConfig
from mimic.datasets import ImageSet, load_npz
from mimic.encoder import new_network
from mimic.errors import ConfigError
from mimic.verbs.work import Work


def attack(work: Work[AttackConfig]) -> dict[str, Any]:
    """Implant the backdoor and write encoder, trigger and reference to the run."""
    config = work.config
    if not config.encoder:
        raise ConfigError("No clean encoder is given.", "Give one with --encoder FILE.")
    clean = work.encoder("encoder", config.encoder)
    shadow = replace(work.images(config.data, "train"), labels=None)
    if config.images:
        shadow = shadow.sample(config.images, seed=config.seed)
    trigger = work.trigger(config.trigger, shadow)
    reference = choose_reference(work)
    see = clean.preprocessing
    backdoored, training = implant(
        clean.encoder,
        see.unit(shadow.images, work.device),
        see.unit(trigger.apply(shadow.images), work.device),
        see.unit(reference.images, work.device),
        clean.normalization,
        config,
        precision=work.precision,
        on_step=work.steps(0.0, 1.0, "implanting the backdoor"),
    )
    record = None
    for record in training:
        work.run.record(asdict(record))
    head = clean.head
    if head is None:
        _, head = new_network(backdoored.architecture, work.device, config.seed)
        head.eval()
    kept = head
    size = clean.preprocessing.size_for(shadow.size[0])
    work.run.write_file(
        "encoder.safetensors",
        lambda path: save_encoder(
            path, backdoored, head=kept, normalization=clean.normalization, input_size=size
        ),
    )
    badencoder = clean.encoder.architecture.kind == "resnet"
    if badencoder:
        work.run.write_file(
            "encoder.pth", lambda path: save_badencoder(path, backdoored, kept, epoch=config.epochs)
        )
    work.run.write_file("trigger.npz", trigger.save)
    work.run.write_arrays(
        "reference", x=reference.images, y=np.array([[config.target_class]], dtype=np.int64)
    )
    return {
        "encoder_file": "encoder.safetensors",
        "badencoder_file": "encoder.pth" if badencoder else None,
        "trigger_file": "trigger.npz",
        "target_class": config.target_class,
        "losses": asdict(record) if record else None,
        "seconds": work.seconds,
    }


def choose_reference(work: Work[AttackConfig]) -> ImageSet:
    """The reference image: from a file, or the most typical one of the target class."""
    config = work.config
    if config.reference:
        given = load_npz(work.file("reference", config.reference))
        for sentence in given.warnings:
            work.warn(sentence)
        return given.take(np.array([0]))
    data = work.images(config.reference_data or config.data, "train")
    members = np.flatnonzero(data.need_classes() == config.target_class)
    if len(members) == 0:
        raise ConfigError(
            f"{data.name} has no image of class {config.target_class}.",
            "Choose another target class or other reference data.",
        )
    pixels = data.images[members].astype(np.float32).reshape(len(members), -1)
    typical = np.abs(pixels - pixels.mean(0)).sum(1).argmin()
    return data.take(members[[typical]])
