"""``pretrain``: a clean encoder by SimCLR, saved in BadEncoder's layout."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, cast

from mimic.checkpoint import save_badencoder, save_encoder
from mimic.config import PretrainConfig
from mimic.encoder import CLIP_DEPTHS, VIT, Architecture, Stem, new_network
from mimic.preprocessing import Preprocessing, measured_normalization, parse_normalization
from mimic.pretrain import pretrain
from mimic.verbs.work import Work
from mimic.views import choose_recipe


def pretrain_encoder(work: Work[PretrainConfig]) -> dict[str, Any]:
    """Train an encoder from scratch and write it to the run."""
    config = work.config
    data = work.images(config.data, "train")
    if config.images:
        data = data.sample(config.images, seed=config.seed)
    normalization = (
        measured_normalization(data.images)
        if config.normalization == "auto"
        else parse_normalization(config.normalization)
    )
    size = config.input_size or data.size[0]
    architecture = choose_architecture(config, size)
    encoder, head = new_network(architecture, work.device, config.seed)
    images = Preprocessing(normalization, config.input_size or None).unit(data.images, work.device)
    recipe = choose_recipe(config.views, config.data)
    record = None
    for record in pretrain(
        encoder,
        head,
        images,
        normalization,
        config,
        recipe=recipe,
        precision=work.precision,
        on_step=work.steps(0.0, 1.0, "pre-training"),
    ):
        work.run.record(asdict(record))
    encoder.eval(), head.eval()
    work.run.write_file(
        "encoder.safetensors",
        lambda path: save_encoder(
            path, encoder, head=head, normalization=normalization, input_size=size
        ),
    )
    badencoder = architecture.kind == "resnet"  # Its layout numbers a ResNet's modules.
    if badencoder:
        work.run.write_file(
            "encoder.pth", lambda path: save_badencoder(path, encoder, head, epoch=config.epochs)
        )
    return {
        "encoder_file": "encoder.safetensors",
        "badencoder_file": "encoder.pth" if badencoder else None,
        "normalization": normalization.to_json(),
        "images": len(data),
        "contrastive": record.contrastive if record else None,
        "seconds": work.seconds,
    }


def choose_architecture(config: PretrainConfig, side: int) -> Architecture:
    """What to build.

    Args:
        config: the verb's settings.
        side: of the images, in pixels, for encoders with learned positions.

    Raises:
        ConfigError: if there is no such architecture.
    """
    name, width = config.architecture, config.width
    if name == VIT:
        return Architecture(
            name,
            width,
            input_size=side,
            patch=config.patch,
            depth=config.depth,
            heads=config.heads,
        )
    if name in CLIP_DEPTHS:
        return Architecture(name, width, input_size=side)
    return Architecture(name, width, cast(Stem, config.stem))
