"""The way back out: encoders written as safetensors, or in the layout they came in."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from mimic.checkpoint.encoder_file import EncoderFile, Entry
from mimic.checkpoint.names import QKV, SEQUENTIAL
from mimic.checkpoint.recognition import RECORD, untold
from mimic.encoder import Encoder, ProjectionHead
from mimic.preprocessing import Normalization

INITIAL_SPREAD = 0.02
"""Standard deviation of fresh matrices, as transformers and heads are usually begun."""


def save_encoder(
    path: Path,
    encoder: Encoder,
    *,
    head: ProjectionHead | None,
    normalization: Normalization,
    input_size: int | None,
    card: Mapping[str, Any] | None = None,
) -> None:
    """Write an encoder as safetensors, with what is needed to use it as metadata."""
    tensors = weights(encoder, head)
    architecture = encoder.architecture
    metadata = {
        "architecture": architecture.name,
        "normalization": normalization.text,
        **({"input_size": str(input_size)} if input_size else {}),
        **({} if architecture.max_pool is None
           else {"max_pool": "yes" if architecture.max_pool else "no"}),
        **({RECORD: json.dumps(untold(architecture))} if architecture.kind == "vit" else {}),
        **({"card": json.dumps(card)} if card else {}),
    }  # fmt: skip
    path.write_bytes(in_one_order(safetensors.torch.save(tensors, metadata=metadata)))


def in_one_order(file: bytes) -> bytes:
    """A safetensors file with its metadata sorted, so that the same content has the same bytes.

    The library keeps metadata in a hash table, whose order differs from one writing to the next.
    """
    length = int.from_bytes(file[:8], "little")
    header = json.loads(file[8 : 8 + length])
    header["__metadata__"] = dict(sorted(header.get("__metadata__", {}).items()))
    ordered = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    ordered += b" " * (-len(ordered) % 8)  # Tensors begin at a multiple of 8 bytes.
    return len(ordered).to_bytes(8, "little") + ordered + file[8 + length :]


def weights(encoder: Encoder, head: ProjectionHead | None) -> dict[str, torch.Tensor]:
    """An encoder's tensors under our names, its head's under ``head.``."""
    tensors = dict(encoder.state_dict())
    if head is not None:
        tensors |= {f"head.{key}": value for key, value in head.state_dict().items()}
    return {k: v.detach().cpu().contiguous() for k, v in tensors.items()}


def export_suffix(like: EncoderFile) -> str:
    """Ending of the file that ``save_in_layout`` writes."""
    return "safetensors" if like.file.kind == "safetensors" else "pth"


def save_in_layout(
    path: Path,
    encoder: Encoder,
    head: ProjectionHead | None,
    like: EncoderFile,
    *,
    seed: int = 0,
) -> list[str]:
    """Write an encoder with the names, shapes, number formats and wrapper of the file it replaces.

    Every tensor of the original state dict has its counterpart, so that the family's own strict
    loader takes the file. Momentum twins and aliases get the encoder's weights. What the encoder
    has no weights for (heads, queues) is begun anew from the seed: the suspect's own could carry
    the backdoor along. A TorchScript archive becomes a checkpoint of its image tower.

    Returns:
        The names of the tensors that were begun anew.
    """
    ours = weights(encoder, head)
    generator = torch.Generator().manual_seed(seed)
    state: dict[str, torch.Tensor] = {}
    renewed = []
    for name, entry in like.entries.items():
        if like.file.kind == "torchscript" and entry.kind != "backbone":
            continue
        given = counterpart(ours, entry)
        if given is None:
            given = begun_anew(name, entry, generator)
            renewed.append(name)
        state[name] = given.to(entry.dtype).clone()
    if like.file.kind == "safetensors":
        # Transformers' loader asks for the format; no other free text of the original is kept.
        stated = {"format": "pt"} if "format" in like.file.metadata else None
        path.write_bytes(safetensors.torch.save(state, metadata=stated))
    else:
        write_checkpoint(path, wrap(state, like))
    return renewed


def counterpart(ours: Mapping[str, torch.Tensor], entry: Entry) -> torch.Tensor | None:
    """The encoder's tensor for a place in the file, or None if it has none of that shape."""
    tensor = ours.get(entry.source)
    if tensor is None:
        return None
    if tensor.shape != entry.shape and tensor.shape[:1] == (len(QKV) * entry.shape[0],):
        tensor = tensor.chunk(len(QKV))[entry.part]
    return tensor if tensor.shape == entry.shape else None


def begun_anew(name: str, entry: Entry, generator: torch.Generator) -> torch.Tensor:
    """A fresh tensor: unit columns for a queue (MoCo's), ones for scales, else small numbers."""
    if not entry.dtype.is_floating_point:
        return torch.zeros(entry.shape)
    if len(entry.shape) >= 2:
        drawn = torch.randn(entry.shape, generator=generator)
        if entry.kind == "queue":
            return torch.nn.functional.normalize(drawn, dim=0)
        return drawn * INITIAL_SPREAD
    is_scale = name.endswith(("weight", "running_var")) and len(entry.shape) == 1
    return torch.ones(entry.shape) if is_scale else torch.zeros(entry.shape)


def wrap(state: dict[str, torch.Tensor], like: EncoderFile) -> dict[str, Any]:
    """The state dict among the original's outermost keys.

    Numbers and words beside it are kept; what was more than that (optimiser, scheduler) is empty.
    """
    file = like.file
    if not file.state_key:
        return {"state_dict": state} if file.kind == "torchscript" else dict(state)
    keys = file.top_level or (*file.wrapper, file.state_key, "optimizer")
    return {
        key: state if key == file.state_key else file.wrapper.get(key, {}) for key in keys
    }  # fmt: skip


def save_badencoder(path: Path, encoder: Encoder, head: ProjectionHead, *, epoch: int) -> None:
    """Write an encoder as BadEncoder's code does: ``f.f.N`` backbone, ``g.N`` head, wrapped."""
    numbered = {name: index for index, name in SEQUENTIAL.items()}
    state = {}
    for key, value in weights(encoder, None).items():
        first, _, rest = key.partition(".")
        state[f"f.f.{numbered[first]}.{rest}"] = value
    state |= {f"g.{key}": v.detach().cpu().contiguous() for key, v in head.state_dict().items()}
    write_checkpoint(path, {"epoch": epoch, "state_dict": state, "optimizer": {}})


def write_checkpoint(path: Path, value: dict[str, Any]) -> None:
    """Write a torch checkpoint, made in memory first so that a full disk shows as an OSError."""
    buffer = io.BytesIO()
    torch.save(value, buffer)
    path.write_bytes(buffer.getvalue())
