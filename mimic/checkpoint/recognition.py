"""Which network a set of tensors fills: depth, width, stem and input size from names and shapes."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

import torch

from mimic.encoder import DEPTHS, MAX_WIDTH, Architecture, Stem
from mimic.encoder.architecture import CLIP_DEPTHS
from mimic.errors import ConfigError, EncoderError

Tensors = Mapping[str, torch.Tensor]
POSITIONS = "attnpool.positional_embedding"
STRIDE = 32
"""A CLIP tower's last map has a 32nd of the image's side."""


RECORD = "transformer"
"""Key under which our own safetensors say what no tensor of a transformer tells."""


def find_architecture(
    tensors: Tensors, metadata: Mapping[str, str] | None = None, heads: int = 0
) -> Architecture:
    """The network, from its tensors under our names.

    Args:
        tensors: the backbone.
        metadata: texts of a safetensors file, which may hold a record of ``untold``.
        heads: attention heads of a transformer, where the user says; 0 leaves them to the record.

    Raises:
        EncoderError: if they fit none we build.
    """
    try:
        if "patch_embed.proj.weight" in tensors:
            record = read_record((metadata or {}).get(RECORD, ""))
            return transformer(tensors, record | ({"heads": heads} if heads else {}))
        return clip_tower(tensors) if POSITIONS in tensors else residual(tensors)
    except ConfigError as error:
        raise EncoderError(error.cause, error.remedy) from error


def untold(architecture: Architecture) -> dict[str, int | str | bool]:
    """What of a transformer no tensor tells; the record that ``read_record`` reads."""
    return {
        "heads": architecture.head_count,
        "pool": architecture.pool,
        "quick_gelu": architecture.quick_gelu,
    }


def read_record(text: str) -> dict[str, Any]:
    """What a file says of itself beyond its tensors; nothing where it says nothing usable."""
    try:
        told = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    wanted = {"heads": int, "pool": str, "quick_gelu": bool}
    if not isinstance(told, dict) or any(type(told.get(k)) is not v for k, v in wanted.items()):
        return {}
    return {name: told[name] for name in wanted}


def blocks_of(tensors: Tensors) -> tuple[int, ...]:
    """Residual blocks per stage."""
    return tuple(
        len({n.split(".")[1] for n in tensors if n.startswith(f"layer{stage}.")})
        for stage in (1, 2, 3, 4)
    )


def residual(tensors: Tensors) -> Architecture:
    """A ResNet: blocks per stage tell the depth, the first filters the stem and width."""
    stem_weight = tensors["conv1.weight"]
    kernels: dict[tuple[int, ...], Stem] = {(3, 3): "cifar", (7, 7): "imagenet"}
    stem = kernels.get(tuple(stem_weight.shape[2:])) if stem_weight.ndim == 4 else None
    found = ("layer1.0.conv3.weight" in tensors, blocks_of(tensors))
    for name, known in DEPTHS.items():
        if known == found and stem_weight.shape[1:2] == (3,) and stem is not None:
            return Architecture(name, width=stem_weight.shape[0], stem=stem)
    raise EncoderError(
        f"The file holds a residual network with {found[1]} blocks and a stem of shape "
        f"{tuple(stem_weight.shape)}, which is not supported.",
        f"Supported are {', '.join(DEPTHS)} with a 3x3 or 7x7 stem on RGB images.",
    )


def clip_tower(tensors: Tensors) -> Architecture:
    """CLIP's ResNet: rows of the positions - 1 = (input / 32)^2 (openai/CLIP, ``build_model``)."""
    blocks, positions = blocks_of(tensors), tensors[POSITIONS]
    name = next((n for n, stages in CLIP_DEPTHS.items() if stages == blocks), "clip_resnet50")
    width = shape_of(tensors, "layer1.0.conv1.weight", 0)
    output_dim = shape_of(tensors, "attnpool.c_proj.weight", 0)
    side = math.isqrt(max(0, positions.shape[0] - 1)) if positions.ndim == 2 else 0
    if not 1 <= width <= MAX_WIDTH or side < 1 or side * side != positions.shape[0] - 1:
        raise EncoderError(
            f"The file holds a CLIP tower of width {width} with positions of shape "
            f"{tuple(positions.shape)}, which is not supported.",
            "Supported are CLIP's residual image towers for square RGB images.",
        )
    return Architecture(
        name, width=width, stem="clip", output_dim=output_dim,
        stages=() if CLIP_DEPTHS[name] == blocks else blocks,
        input_size=side * STRIDE,
    )  # fmt: skip


def transformer(tensors: Tensors, record: Mapping[str, Any]) -> Architecture:
    """A vision transformer: patch from the first filters, input size from the positions."""
    patches = tensors["patch_embed.proj.weight"]
    positions = tensors.get("pos_embed")
    if patches.ndim != 4 or patches.shape[1] != 3 or positions is None or positions.ndim != 3:
        raise EncoderError(
            f"The file holds a transformer with patches of shape {tuple(patches.shape)} and "
            f"{'no' if positions is None else 'unusual'} positions, which is not supported.",
            "Supported are vision transformers with learned positions on RGB images.",
        )
    width, _, patch, _ = patches.shape
    depth = len({n.split(".")[1] for n in tensors if re.match(r"blocks\.\d+\.", n)})
    class_token = "cls_token" in tensors
    registers = shape_of(tensors, "reg_token", 1)
    tokens = positions.shape[1]
    side, prefixed = grid_of(tokens, int(class_token) + registers)
    if side < 1:
        raise EncoderError(
            f"The file holds a transformer with {tokens} positions, which is not supported.",
            "Supported are vision transformers for square images.",
        )
    after = "fc_norm.weight" in tensors
    pool = record.get("pool", "avg" if after or not class_token else "token")
    averaged = pool == "avg"
    return Architecture(
        "vit",
        width=width,
        stem="patch",
        patch=patch,
        depth=depth,
        heads=record.get("heads", 0),
        quick_gelu=record.get("quick_gelu", False),
        hidden=shape_of(tensors, "blocks.0.mlp.fc1.weight", 0),
        pool=pool,
        class_token=class_token,
        register_tokens=registers,
        embed_prefix=prefixed,
        fc_norm=None if after == averaged else after,
        pre_norm="norm_pre.weight" in tensors,
        layer_scale="blocks.0.ls1.gamma" in tensors,
        qkv_bias="blocks.0.attn.qkv.bias" in tensors,
        input_size=side * patch,
    )


def grid_of(tokens: int, prefix: int) -> tuple[int, bool]:
    """Side of the square of patches, and whether the tokens before them have positions too."""
    for before in dict.fromkeys((prefix, 0)):
        side = math.isqrt(max(0, tokens - before))
        if side >= 1 and side * side == tokens - before:
            return side, before > 0 or prefix == 0
    return 0, False


def shape_of(tensors: Tensors, name: str, axis: int) -> int:
    """Length of one of a tensor's axes; 0 where there is none."""
    tensor = tensors.get(name)
    return 0 if tensor is None or tensor.ndim <= axis else tensor.shape[axis]


def in_words(architecture: Architecture) -> str:
    """A network's name for refusals."""
    return f"a {architecture.name} of width {architecture.width}"
