"""From a file to an encoder: recognise the layout, match every tensor, fill the network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from mimic.checkpoint.families import choose_normalization, stored_size
from mimic.checkpoint.gate import read_file
from mimic.checkpoint.layouts import backbone_names, describe_layout, find_architecture
from mimic.checkpoint.match import check_match
from mimic.encoder import Encoder, ProjectionHead, build_encoder
from mimic.errors import EncoderError
from mimic.preprocessing import Normalization, Preprocessing


@dataclass
class EncoderFile:
    """An encoder as it came out of a file.

    Args:
        encoder: the backbone in eval mode, float32, gradients off.
        head: its projection head, where the file holds one that we know.
        normalization: what its inputs need.
        input_size: side it was trained at, or None where the file does not say.
        layout: what was recognised, in words.
        key_names: our parameter name to the file's.
        dtypes: the file's number formats, by its own names.
        wrapper: the file's keys around the state dict, for writing it back; None if bare.
        state_key: the key of the state dict among them; empty if bare.
        is_checkpoint: whether it was a torch checkpoint, not safetensors.
    """

    encoder: Encoder
    head: ProjectionHead | None
    normalization: Normalization
    input_size: int | None
    layout: str
    key_names: dict[str, str] = field(default_factory=dict)
    dtypes: dict[str, torch.dtype] = field(default_factory=dict)
    wrapper: dict[str, Any] | None = None
    state_key: str = ""
    is_checkpoint: bool = False

    @property
    def preprocessing(self) -> Preprocessing:
        """What its images go through first."""
        return Preprocessing(self.normalization, self.input_size)


def load_encoder(path: Path, *, normalization: str = "auto") -> EncoderFile:
    """Read an encoder.

    Args:
        path: a ``.safetensors`` file or a torch checkpoint; the content decides, not the name.
        normalization: ``auto`` or what ``parse_normalization`` takes.

    Raises:
        EncoderError: if the file is missing, too large, unreadable weights-only, of an unknown
            layout, or does not fill the whole backbone.
    """
    file = read_file(path)
    names = backbone_names(file.tensors)
    tensors = {k: file.tensors[v] for k, v in names.items()}
    architecture = find_architecture(tensors)
    with torch.device("meta"):  # Shapes only: a small file must not make us allocate a huge one.
        check_match(build_encoder(architecture), tensors, path.name)
    loaded = EncoderFile(
        encoder=build_encoder(architecture),
        head=None,
        normalization=choose_normalization(normalization, file.metadata, architecture.stem),
        input_size=stored_size(file.metadata, architecture.stem),
        layout=describe_layout(
            names, is_safetensors=file.kind == "safetensors", wrapped=bool(file.state_key)
        ),
        wrapper=file.wrapper or None,
        state_key=file.state_key,
        is_checkpoint=file.kind != "safetensors",
    )
    fill(loaded.encoder, tensors, path.name)
    loaded.key_names = names
    load_head(loaded, file.tensors)
    loaded.dtypes = {theirs: file.tensors[theirs].dtype for theirs in loaded.key_names.values()}
    loaded.encoder.eval().requires_grad_(False)
    return loaded


def fill(encoder: Encoder, tensors: Mapping[str, torch.Tensor], file_name: str) -> None:
    """Copy matching weights into the encoder; all must be finite."""
    wanted = encoder.state_dict()
    bad = [k for k, v in tensors.items() if not torch.isfinite(v.double()).all()]
    if bad:
        raise EncoderError(
            f"'{file_name}' holds values that are not finite, for example in {bad[0]}.",
            "The training that wrote it failed; choose an earlier checkpoint.",
        )
    wanted.update({k: v.to(wanted[k].dtype) for k, v in tensors.items()})
    encoder.load_state_dict(wanted)


def load_head(loaded: EncoderFile, stored: Mapping[str, torch.Tensor]) -> None:
    """Take the projection head along where the file holds one of SimCLR's shape."""
    for prefix in ("g.", "module.g.", "head."):
        last = stored.get(f"{prefix}3.weight")
        if last is None or last.ndim != 2:
            continue
        head = ProjectionHead(loaded.encoder.architecture.feature_dim, last.shape[0])
        names = {key: f"{prefix}{key}" for key in head.state_dict()}
        fits = all(
            name in stored
            and stored[name].shape == head.state_dict()[key].shape
            and bool(torch.isfinite(stored[name].double()).all())
            for key, name in names.items()
        )
        if fits:
            head.load_state_dict({key: stored[name] for key, name in names.items()})
            loaded.head = head.eval().requires_grad_(False)
            loaded.key_names |= {f"head.{key}": name for key, name in names.items()}
            return
