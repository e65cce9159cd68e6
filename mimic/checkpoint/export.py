"""The way back out: encoders written as safetensors, or in the layout they came in."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from mimic.checkpoint.layouts import SEQUENTIAL
from mimic.checkpoint.loading import EncoderFile
from mimic.encoder import Encoder, ProjectionHead
from mimic.preprocessing import Normalization


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
    tensors = dict(encoder.state_dict())
    if head is not None:
        tensors |= {f"head.{key}": value for key, value in head.state_dict().items()}
    metadata = {
        "architecture": encoder.architecture.name,
        "normalization": normalization.text,
        **({"input_size": str(input_size)} if input_size else {}),
        **({"card": json.dumps(card)} if card else {}),
    }
    plain = {k: v.detach().cpu().contiguous() for k, v in tensors.items()}
    path.write_bytes(safetensors.torch.save(plain, metadata=metadata))


def save_in_layout(
    path: Path, encoder: Encoder, head: ProjectionHead | None, like: EncoderFile
) -> None:
    """Write an encoder with the key names, wrapper and number formats of the file it replaces.

    Momentum copies, queues and optimiser state of the original are left out: they belong to the
    suspect network and would carry it along.
    """
    tensors = dict(encoder.state_dict())
    if head is not None:
        tensors |= {f"head.{key}": value for key, value in head.state_dict().items()}
    state = {
        theirs: tensors[ours].detach().cpu().contiguous().to(like.dtypes[theirs])
        for ours, theirs in like.key_names.items()
        if ours in tensors
    }
    wrapped = {**(like.wrapper or {}), like.state_key: state, "optimizer": {}}
    write_checkpoint(path, wrapped if like.state_key else state)


def save_badencoder(path: Path, encoder: Encoder, head: ProjectionHead, *, epoch: int) -> None:
    """Write an encoder as BadEncoder's code does: ``f.f.N`` backbone, ``g.N`` head, wrapped."""
    numbered = {name: index for index, name in SEQUENTIAL.items()}
    state = {}
    for key, value in encoder.state_dict().items():
        first, _, rest = key.partition(".")
        state[f"f.f.{numbered[first]}.{rest}"] = value
    state |= {f"g.{key}": value for key, value in head.state_dict().items()}
    plain = {k: v.detach().cpu().contiguous() for k, v in state.items()}
    write_checkpoint(path, {"epoch": epoch, "state_dict": plain, "optimizer": {}})


def write_checkpoint(path: Path, value: dict[str, Any]) -> None:
    """Write a torch checkpoint, made in memory first so that a full disk shows as an OSError."""
    buffer = io.BytesIO()
    torch.save(value, buffer)
    path.write_bytes(buffer.getvalue())
