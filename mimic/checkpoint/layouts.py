"""What the tensors of a public checkpoint are called, and which network they fill."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch

from mimic.encoder import DEPTHS, MAX_WIDTH, Architecture, Stem
from mimic.errors import EncoderError

PREFIXES = (
    "backbone.", "encoder_q.", "model.module.", "model.", "encoder.", "visual.", "f.f.", "f.", "",
)  # fmt: skip
"""Where public checkpoints keep the backbone, most specific first."""

SEQUENTIAL = {"0": "conv1", "1": "bn1", "3": "layer1", "4": "layer2", "5": "layer3", "6": "layer4"}
BACKBONE = re.compile(r"(conv1|bn1|layer[1-4])\.")


def backbone_names(stored: Mapping[str, torch.Tensor]) -> dict[str, str]:
    """Our parameter names to the file's, for the first prefix that yields a backbone.

    Raises:
        EncoderError: if no prefix does.
    """
    for prefix in PREFIXES:
        names = {}
        for key in stored:
            short = key
            while short.startswith("module."):
                short = short.removeprefix("module.")
            if short.startswith(prefix):
                ours = our_name(short.removeprefix(prefix), sequential=prefix in ("f.f.", "f."))
                if BACKBONE.match(ours):
                    names[ours] = key
        if "conv1.weight" in names and any(n.startswith("layer1.") for n in names):
            return names
    shown = ", ".join(sorted(stored)[:5]) or "none"
    raise EncoderError(
        f"No residual encoder was recognised; the first of {len(stored)} tensors are: {shown}.",
        "Supported are ResNets saved by SimCLR, BadEncoder, MoCo, BYOL and torchvision code.",
    )


def our_name(name: str, *, sequential: bool) -> str:
    """The name torchvision gives to a parameter of a public checkpoint."""
    if sequential:
        first, _, rest = name.partition(".")
        name = f"{SEQUENTIAL.get(first, first)}.{rest}"
    return name.replace(".shortcut.", ".downsample.")


def find_architecture(tensors: Mapping[str, torch.Tensor]) -> Architecture:
    """Depth, width and stem, from the tensors' names and shapes.

    Raises:
        EncoderError: if they fit no residual network we build.
    """
    stem_weight = tensors["conv1.weight"]
    kernels: dict[tuple[int, ...], Stem] = {(3, 3): "cifar", (7, 7): "imagenet"}
    stem = kernels.get(tuple(stem_weight.shape[2:])) if stem_weight.ndim == 4 else None
    bottleneck = "layer1.0.conv3.weight" in tensors
    blocks = tuple(
        len({n.split(".")[1] for n in tensors if n.startswith(f"layer{stage}.")})
        for stage in (1, 2, 3, 4)
    )
    for name, known in DEPTHS.items():
        fits = known == (bottleneck, blocks) and stem_weight.shape[1:2] == (3,)
        if fits and stem is not None and 1 <= stem_weight.shape[0] <= MAX_WIDTH:
            return Architecture(name, width=stem_weight.shape[0], stem=stem)
    raise EncoderError(
        f"The file holds a residual network with {blocks} blocks and a stem of shape "
        f"{tuple(stem_weight.shape)}, which is not supported.",
        f"Supported are {', '.join(DEPTHS)} with a 3x3 or 7x7 stem on RGB images.",
    )


def describe_layout(names: Mapping[str, str], *, is_safetensors: bool, wrapped: bool) -> str:
    """What was recognised, in words."""
    prefix = names["conv1.weight"].removesuffix("conv1.weight").removesuffix("0.weight")
    kind = "safetensors" if is_safetensors else "torch checkpoint"
    parts = [kind, "state dict in a wrapper" if wrapped else "bare tensors"]
    parts.append(f"keys begin with '{prefix}'" if prefix else "torchvision's key names")
    return ", ".join(parts)
