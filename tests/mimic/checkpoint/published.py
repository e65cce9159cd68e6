"""Tiny files in every published layout, made when a test asks: one function per family.

Key names and wrappers are those of the families' public code; ``own`` is the encoder that has to be
found, ``twin`` one that must not be taken for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import nn

from mimic.encoder import Architecture, Encoder, ProjectionHead, build_encoder

State = dict[str, torch.Tensor]
NUMBERS = {"conv1": "0", "bn1": "1", "layer1": "3", "layer2": "4", "layer3": "5", "layer4": "6"}
SMALL = Architecture("resnet18", width=2)
LARGE18 = Architecture("resnet18", width=2, stem="imagenet")
LARGE50 = Architecture("resnet50", width=2, stem="imagenet")
CLIP = Architecture("clip_resnet50", width=4, output_dim=12, input_size=64)
VIT = Architecture("vit", width=64, patch=8, depth=4, hidden=32, input_size=32)


def make(architecture: Architecture = SMALL, seed: int = 0) -> Encoder:
    """A random encoder none of whose tensors is constant, as after a training."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = build_encoder(architecture)
        for key, tensor in encoder.state_dict().items():
            if not tensor.is_floating_point():
                tensor.fill_(100 + seed)
            elif tensor.ndim < 2 or "pos_embed" in key or "cls_token" in key:
                tensor.uniform_(0.5, 1.5)
    return encoder.eval()


def random(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))


def prefixed(prefix: str, state: State) -> State:
    return {prefix + key: value for key, value in state.items()}


def numbered(prefix: str, state: State) -> State:
    parts = {key: key.partition(".") for key in state}
    return {f"{prefix}{NUMBERS[parts[k][0]]}.{parts[k][2]}": v for k, v in state.items()}


def shortcuts(state: State) -> State:
    return {key.replace(".downsample.", ".shortcut."): value for key, value in state.items()}


def wrap(state: State, **more: Any) -> dict[str, Any]:
    return {"epoch": 200, "state_dict": state, "optimizer": {"state": {}}, **more}


def head(prefix: str, dim: int = 16) -> State:
    state = {}
    for key, value in ProjectionHead(dim, 8).state_dict().items():
        state[prefix + key] = random(*value.shape).abs() if value.ndim else value
    return state


def classifier(prefix: str = "fc.", dim: int = 16, classes: int = 10) -> State:
    return {f"{prefix}weight": random(classes, dim), f"{prefix}bias": random(classes)}


def moco_head(prefix: str) -> State:
    return {
        f"{prefix}fc.0.weight": random(16, 16), f"{prefix}fc.0.bias": random(16),
        f"{prefix}fc.2.weight": random(8, 16), f"{prefix}fc.2.bias": random(8),
    }  # fmt: skip


def queue(prefix: str = "") -> State:
    return {f"{prefix}queue": random(8, 64), f"{prefix}queue_ptr": torch.zeros(1).long()}


def scheduler_state() -> dict[str, Any]:
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    return torch.optim.lr_scheduler.MultiStepLR(optimizer, [3, 5, 5]).state_dict()


def huggingface_resnet(state: State) -> State:
    kinds = {"conv": "convolution", "bn": "normalization"}
    named = {}
    for key, value in state.items():
        if stem := re.fullmatch(r"(conv|bn)1\.(\w+)", key):
            named[f"embedder.embedder.{kinds[stem[1]]}.{stem[2]}"] = value
            continue
        stage, block, module, number, leaf = re.fullmatch(
            r"layer(\d)\.(\d+)\.(conv|bn|downsample\.)(\d)\.(\w+)", key
        ).groups()  # type: ignore[union-attr]
        place = (
            f"shortcut.{'convolution' if number == '0' else 'normalization'}"
            if module == "downsample."
            else f"layer.{int(number) - 1}.{kinds[module]}"
        )
        named[f"encoder.stages.{int(stage) - 1}.layers.{block}.{place}.{leaf}"] = value
    return named


def huggingface_vit(state: State) -> State:
    whole = {
        "cls_token": "embeddings.cls_token", "pos_embed": "embeddings.position_embeddings",
        "patch_embed.proj": "embeddings.patch_embeddings.projection", "norm": "layernorm",
        "attn.proj": "attention.output.dense", "mlp.fc1": "intermediate.dense",
        "mlp.fc2": "output.dense", "norm1": "layernorm_before", "norm2": "layernorm_after",
    }  # fmt: skip
    named = {}
    for key, value in state.items():
        block = re.fullmatch(r"blocks\.(\d+)\.(.+)\.(\w+)", key)
        if block and block[2] == "attn.qkv":
            for name, part in zip(("query", "key", "value"), value.chunk(3), strict=True):
                place = f"encoder.layer.{block[1]}.attention.attention.{name}.{block[3]}"
                named[place] = part.clone()
        elif block:
            named[f"encoder.layer.{block[1]}.{whole[block[2]]}.{block[3]}"] = value
        elif key in whole:
            named[whole[key]] = value
        else:
            module, _, leaf = key.rpartition(".")
            named[f"{whole[module]}.{leaf}"] = value
    return named


def torchvision_vit(state: State) -> State:
    names = (
        (r"^cls_token$", "class_token"), (r"^pos_embed$", "encoder.pos_embedding"),
        (r"^patch_embed\.proj\.", "conv_proj."), (r"^norm\.", "encoder.ln."),
        (r"^blocks\.(\d+)\.", r"encoder.layers.encoder_layer_\1."),
        (r"\.norm(\d)\.", r".ln_\1."), (r"\.attn\.qkv\.", ".self_attention.in_proj_"),
        (r"\.attn\.proj\.", ".self_attention.out_proj."), (r"\.mlp\.fc1\.", ".mlp.0."),
        (r"\.mlp\.fc2\.", ".mlp.3."),
    )  # fmt: skip
    named = {}
    for key, value in state.items():
        for ours, theirs in names:
            key = re.sub(ours, theirs, key)
        named[key] = value
    return named


@dataclass(frozen=True)
class Published:
    """A family's file.

    Args:
        content: what it holds, from the encoder's and a twin's state dicts.
        family: the letter or word it has to be recognised as.
        normalization: the preset its inputs need.
        architecture: the encoder in it.
        size: side its images are resized to; None for their own.
        kinds: what is left aside.
        pool_is_unclear: whether only trying tells if the stem pools.
        is_safetensors: whether it is no torch checkpoint.
    """

    content: Callable[[State, State], Any]
    family: str
    normalization: str
    architecture: Architecture = SMALL
    size: int | None = None
    kinds: frozenset[str] = frozenset()
    pool_is_unclear: bool = False
    is_safetensors: bool = False

    def write(self, path: Path, *, seed: int = 0, dtype: torch.dtype = torch.float32) -> Encoder:
        """Write the file; returns the encoder in it."""
        own, twin = make(self.architecture, seed), make(self.architecture, seed + 100)
        content = self.content(own.state_dict(), twin.state_dict())
        if self.is_safetensors:
            plain = {k: v.clone().contiguous() for k, v in content.items()}
            safetensors.torch.save_file(plain, path, metadata={"format": "pt", "note": "hello"})
            return own
        state = state_of(content)
        for key, value in state.items():
            if value.is_floating_point():
                state[key] = value.to(dtype)
        torch.save(content, path)
        return own


def state_of(content: dict[str, Any]) -> State:
    """The state dict within a checkpoint's content."""
    keys = ("state_dict", "model", "network", "model_state_dict")
    return next((content[k] for k in keys if isinstance(content.get(k), dict)), content)


def ctrl_byol(own: State, twin: State) -> dict[str, Any]:
    return wrap({
        **prefixed("backbone.", shortcuts(own)), **prefixed("backbone_k.", shortcuts(twin)),
        **head("projector_q."), **head("projector_k."), **head("predictor."),
        **prefixed("encoder_q.0.", shortcuts(own)), **prefixed("encoder_k.0.", shortcuts(twin)),
    })  # fmt: skip


def umbc_moco(own: State, twin: State) -> dict[str, Any]:
    return wrap(
        prefixed("module.encoder_q.", own) | moco_head("module.encoder_q.")
        | prefixed("module.encoder_k.", twin) | moco_head("module.encoder_k.")
        | queue("module.") | {"module.scalar_label": torch.tensor([3.0])},
        arch="resnet18",
    )  # fmt: skip


def umbc_byol(own: State, twin: State) -> dict[str, Any]:
    return (
        prefixed("model.module.", own) | head("head.") | head("pred.")
        | prefixed("model_t.module.", twin) | head("head_t.")
    )  # fmt: skip


def umbc_rotnet(own: State, _twin: State) -> dict[str, Any]:
    block = {"conv1": "0.0", "bn1": "0.1", "layer1": "1", "layer2": "2", "layer3": "3",
             "layer4": "4"}  # fmt: skip
    parts = {key: key.partition(".") for key in own}
    blocks = {f"_feature_blocks.{block[parts[k][0]]}.{parts[k][2]}": v for k, v in own.items()}
    return {"epoch": 1, "network": own | blocks | classifier("fc.1.", classes=4)}


def clip_archive(own: State, _twin: State) -> dict[str, Any]:
    return prefixed("visual.", own) | {
        "transformer.resblocks.0.attn.in_proj_weight": random(12, 4),
        "token_embedding.weight": random(10, 4), "ln_final.weight": random(4),
        "text_projection": random(4, 12), "logit_scale": torch.tensor(4.6),
        "positional_embedding": random(7, 4),
    }  # fmt: skip


HEAD, CLASSIFIER = frozenset({"head"}), frozenset({"classifier"})
PUBLISHED: dict[str, Published] = {
    "A": Published(lambda o, t: wrap(numbered("f.f.", o) | head("g.")), "A", "cifar10", kinds=HEAD),
    "A-resnet34": Published(
        lambda o, t: wrap(numbered("f.f.", o) | head("g.")), "A", "cifar10",
        Architecture("resnet34", width=2), kinds=HEAD),
    "B": Published(lambda o, t: wrap(numbered("f.", o)), "B", "cifar10"),
    "C": Published(lambda o, t: {"state_dict": o | classifier("fc.", 64)}, "C", "none",
                   LARGE50, 224, CLASSIFIER),
    "D": Published(lambda o, t: wrap(prefixed("visual.", o | classifier("fc.", 64))), "D", "none",
                   LARGE50, 224, CLASSIFIER),
    "E": Published(lambda o, t: {"state_dict": o}, "E", "clip", CLIP, 64),
    "F": Published(lambda o, t: wrap(prefixed("visual.", o)), "F", "clip", CLIP, 64),
    "G-names": Published(clip_archive, "clip", "clip", CLIP, 64, frozenset({"text tower"})),
    "H": Published(
        lambda o, t: wrap(prefixed("backbone.", shortcuts(o)) | {
            "proj_head.0.weight": random(16, 16), "proj_head.2.weight": random(8, 16)}),
        "H", "none", kinds=HEAD),
    "H-parallel": Published(
        lambda o, t: wrap(prefixed("module.backbone.", shortcuts(o)) | {
            "module.proj_head.0.weight": random(16, 16)}),
        "H", "none", kinds=HEAD),
    "I": Published(ctrl_byol, "I", "none",
                   kinds=frozenset({"head", "momentum twin", "alias"})),
    "J": Published(umbc_moco, "J", "imagenet", LARGE18, 224,
                   frozenset({"head", "momentum twin", "queue", "other"})),
    "K": Published(umbc_byol, "K", "imagenet", LARGE18, 224,
                   frozenset({"head", "momentum twin"})),
    "L": Published(
        lambda o, t: wrap(prefixed("module.", o | classifier("fc.", 16 * 9)), arch="resnet18",
                          best_acc1=71.5, lr_scheduler=scheduler_state()),
        "L", "imagenet", LARGE18, 224, CLASSIFIER),
    "M": Published(umbc_rotnet, "M", "imagenet", LARGE18, 224, frozenset({"alias", "classifier"})),
    "N-moco": Published(
        lambda o, t: wrap(prefixed("module.encoder_q.", o) | prefixed("module.encoder_k.", t)
                          | queue("module."), arch="resnet18", scheduler=scheduler_state()),
        "N", "cifar10", kinds=frozenset({"momentum twin", "queue"}), pool_is_unclear=True),
    "N-simclr": Published(
        lambda o, t: wrap(prefixed("encoder.", o) | head("projector."), arch="resnet18"),
        "N", "cifar10", kinds=HEAD, pool_is_unclear=True),
    "N-byol": Published(
        lambda o, t: wrap(prefixed("backbone.", o) | head("projection_head.")
                          | prefixed("backbone_momentum.", t), arch="resnet18"),
        "N", "imagenet", LARGE18, 224, frozenset({"head", "momentum twin"})),
    "O-A": Published(lambda o, t: wrap(numbered("f.f.", o) | head("g."), loss=0.5), "O", "cifar10",
                     kinds=HEAD),
    "O-D": Published(lambda o, t: wrap(prefixed("visual.", o), loss=0.5), "O", "none", LARGE50,
                     224),
    "O-F": Published(lambda o, t: wrap(prefixed("visual.", o), loss=0.5), "O", "clip", CLIP, 64),
    "P": Published(
        lambda o, t: numbered("f.f.", o) | classifier("c.fc1.", 16) | classifier("c.fc2.", 10)
        | classifier("c.fc3.", 10), "P", "cifar10", kinds=CLASSIFIER),
    "torchvision": Published(lambda o, t: o | classifier(), "torchvision", "imagenet", LARGE18,
                             224, CLASSIFIER),
    "torchvision-parallel": Published(
        lambda o, t: {"model": prefixed("module.module.", o)}, "torchvision", "cifar10",
        pool_is_unclear=True),
    "timm-resnet": Published(lambda o, t: o | classifier(), "torchvision", "imagenet", LARGE50,
                             224, CLASSIFIER, is_safetensors=True),
    "timm-vit": Published(lambda o, t: o | classifier("head.", 64), "timm-vit", "0.5/0.5", VIT, 32,
                          CLASSIFIER, is_safetensors=True),
    "huggingface-resnet": Published(
        lambda o, t: prefixed("resnet.", huggingface_resnet(o)) | classifier("classifier.1."),
        "huggingface-resnet", "imagenet", LARGE18, 224, CLASSIFIER, is_safetensors=True),
    "huggingface-resnet-bare": Published(
        lambda o, t: huggingface_resnet(o), "huggingface-resnet", "imagenet", LARGE50, 224),
    "huggingface-vit": Published(
        lambda o, t: prefixed("vit.", huggingface_vit(o)) | classifier("classifier.", 64),
        "huggingface-vit", "0.5/0.5", VIT, 32, CLASSIFIER, is_safetensors=True),
    "huggingface-vit-bare": Published(
        lambda o, t: huggingface_vit(o) | classifier("pooler.dense.", 64, 64), "huggingface-vit",
        "0.5/0.5", VIT, 32, HEAD),
    "torchvision-vit": Published(
        lambda o, t: torchvision_vit(o) | classifier("heads.head.", 64), "torchvision-vit",
        "imagenet", VIT, 32, CLASSIFIER),
    "sequence-with-pool": Published(
        lambda o, t: wrap({
            re.sub(r"^(\d)\.", lambda m: f"{int(m[1]) + (int(m[1]) > 1)}.", key): value
            for key, value in numbered("", o).items()}),
        "other", "imagenet", LARGE18, 224),
}  # fmt: skip
