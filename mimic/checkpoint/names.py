"""How published code names the parameters of an encoder, and how each name reads in ours.

Our names are torchvision's for residual networks (torchvision ``models/resnet.py``), OpenAI's for
the CLIP tower (openai/CLIP ``clip/model.py``) and timm's for vision transformers (timm
``models/vision_transformer.py``). The others are those of Hugging Face transformers
(``models/resnet``, ``models/vit``), torchvision's ``models/vision_transformer.py``, and of the
``nn.Sequential`` that SimCLR code for CIFAR-10 cuts a network into.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Place = tuple[str, int]
"""Our parameter's name, and which part of it this is where theirs is cut in three (q, k, v)."""

RESNET = re.compile(r"(conv[123]|bn[123]|attnpool|layer\d+)\.")
VIT = re.compile(
    r"(cls_token|reg_token|dist_token|pos_embed)$|(patch_embed|norm_pre|attn_pool|norm|fc_norm|blocks\.\d+)\."
)
SEQUENTIAL = {"0": "conv1", "1": "bn1", "3": "layer1", "4": "layer2", "5": "layer3", "6": "layer4"}
SEQUENTIAL_POOLED = SEQUENTIAL | {"3": "", "4": "layer1", "5": "layer2", "6": "layer3",
                                  "7": "layer4"}  # fmt: skip
"""With the max-pool kept, it stands at 3 and the stages move up by one."""
QKV = ("query", "key", "value")


@dataclass(frozen=True)
class Naming:
    """One way to name an encoder's parameters.

    Args:
        title: whose names they are, in words.
        translate: our place of their name (its prefix removed), or None if it names no part.
        stem: our name of the first weight, without which there is no encoder.
        body: how our names of the first stage begin.
        max_pool: whether the names tell that a max-pool follows the stem; None if they do not.
    """

    title: str
    translate: Callable[[str], Place | None]
    stem: str = "conv1.weight"
    body: str = "layer1."
    max_pool: bool | None = None


def from_torchvision(name: str) -> Place | None:
    """``layer1.0.conv1.weight``; CTRL writes ``shortcut`` for ``downsample``."""
    return (name.replace(".shortcut.", ".downsample."), 0) if RESNET.match(name) else None


def from_sequential(name: str, numbers: dict[str, str] = SEQUENTIAL) -> Place | None:
    """``3.0.conv1.weight``, numbered as the modules of the network that it was cut into."""
    first, _, rest = name.partition(".")
    module = numbers.get(first)
    return from_torchvision(f"{module}.{rest}") if module and rest else None


def from_sequential_pooled(name: str) -> Place | None:
    """The same with a max-pool among the modules."""
    return from_sequential(name, SEQUENTIAL_POOLED)


def from_huggingface_resnet(name: str) -> Place | None:
    """``encoder.stages.0.layers.1.layer.0.convolution.weight``."""
    kinds = {"convolution": "conv", "normalization": "bn"}
    if stem := re.fullmatch(r"embedder\.embedder\.(\w+)\.(\w+)", name):
        kind = kinds.get(stem[1])
        return (f"{kind}1.{stem[2]}", 0) if kind else None
    found = re.fullmatch(
        r"encoder\.stages\.(\d+)\.layers\.(\d+)\.(?:layer\.(\d+)|shortcut)\.(\w+)\.(\w+)", name
    )
    if found is None or found[4] not in kinds:
        return None
    stage, block, inner, kind, leaf = found.groups()
    if inner is None:
        place = f"downsample.{0 if kind == 'convolution' else 1}"
    else:
        place = f"{kinds[kind]}{int(inner) + 1}"
    return f"layer{int(stage) + 1}.{block}.{place}.{leaf}", 0


def from_timm_vit(name: str) -> Place | None:
    """``blocks.0.attn.qkv.weight``: ours are timm's."""
    return (name, 0) if VIT.match(name) else None


HUGGINGFACE_VIT = {
    "embeddings.cls_token": "cls_token",
    "embeddings.position_embeddings": "pos_embed",
    "embeddings.patch_embeddings.projection": "patch_embed.proj",
    "layernorm": "norm",
}
HUGGINGFACE_BLOCK = {
    "attention.output.dense": "attn.proj",
    "intermediate.dense": "mlp.fc1",
    "output.dense": "mlp.fc2",
    "layernorm_before": "norm1",
    "layernorm_after": "norm2",
}


def outside_blocks(name: str, ours: Mapping[str, str]) -> Place | None:
    """A name of a part that stands once in a ViT, or of such a part's weight or bias."""
    if name in ours:
        return ours[name], 0
    module, _, leaf = name.rpartition(".")
    return (f"{ours[module]}.{leaf}", 0) if module in ours else None


def from_huggingface_vit(name: str) -> Place | None:
    """``encoder.layer.0.attention.attention.query.weight``: a third of our ``qkv``."""
    block = re.fullmatch(r"encoder\.layer\.(\d+)\.(.+)\.([^.]*)", name)
    if block is None:
        return outside_blocks(name, HUGGINGFACE_VIT)
    number, inner, leaf = block.groups()
    head, _, last = inner.rpartition(".")
    if head == "attention.attention" and last in QKV:
        return f"blocks.{number}.attn.qkv.{leaf}", QKV.index(last)
    ours = HUGGINGFACE_BLOCK.get(inner)
    # A part of a block that we do not know keeps its name, so that the match refuses it.
    return f"blocks.{number}.{ours or inner}.{leaf}", 0


TORCHVISION_VIT = {
    "class_token": "cls_token",
    "encoder.pos_embedding": "pos_embed",
    "conv_proj": "patch_embed.proj",
    "encoder.ln": "norm",
}
TORCHVISION_BLOCK = {
    "ln_1": "norm1", "ln_2": "norm2", "self_attention.out_proj": "attn.proj",
    "mlp.0": "mlp.fc1", "mlp.3": "mlp.fc2", "mlp.linear_1": "mlp.fc1", "mlp.linear_2": "mlp.fc2",
}  # fmt: skip


def from_torchvision_vit(name: str) -> Place | None:
    """``encoder.layers.encoder_layer_0.self_attention.in_proj_weight``."""
    block = re.fullmatch(r"encoder\.layers\.encoder_layer_(\d+)\.(.+)\.([^.]*)", name)
    if block is None:
        return outside_blocks(name, TORCHVISION_VIT)
    number, inner, leaf = block.groups()
    if inner == "self_attention" and leaf.startswith("in_proj_"):
        return f"blocks.{number}.attn.qkv.{leaf.removeprefix('in_proj_')}", 0
    return f"blocks.{number}.{TORCHVISION_BLOCK.get(inner, inner)}.{leaf}", 0


PATCHES = "patch_embed.proj.weight", "blocks.0."
NAMINGS = {
    "torchvision": Naming("torchvision's key names", from_torchvision),
    "sequential": Naming("modules numbered in sequence", from_sequential, max_pool=False),
    "sequential-pooled": Naming(
        "modules numbered in sequence, max-pool among them", from_sequential_pooled, max_pool=True
    ),
    "huggingface-resnet": Naming(
        "Hugging Face's ResNet names", from_huggingface_resnet, max_pool=True
    ),
    "timm-vit": Naming("timm's ViT names", from_timm_vit, *PATCHES),
    "huggingface-vit": Naming("Hugging Face's ViT names", from_huggingface_vit, *PATCHES),
    "torchvision-vit": Naming("torchvision's ViT names", from_torchvision_vit, *PATCHES),
}
