"""From a file to an encoder: recognise the layout, match every tensor, fill the network."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import torch

from mimic.checkpoint.doubts import doubts_of, other_encoders, untold_doubts
from mimic.checkpoint.encoder_file import EncoderFile, Entry
from mimic.checkpoint.families import Evidence, Family, find_family
from mimic.checkpoint.foreign import misleading
from mimic.checkpoint.gate import StoredFile, read_file
from mimic.checkpoint.ignored import sort_ignored
from mimic.checkpoint.layouts import Layout, find_layout, joined
from mimic.checkpoint.match import COUNTER, compare, demand_complete
from mimic.checkpoint.presets import (
    Options,
    choose_normalization,
    choose_pool,
    choose_size,
)
from mimic.checkpoint.recognition import find_architecture, in_words
from mimic.checkpoint.soundness import demand_sound
from mimic.encoder import Architecture, Encoder, ProjectionHead, build_encoder
from mimic.errors import ConfigError, EncoderError
from mimic.parsing.opcodes import shorten
from mimic.preprocessing import Normalization


def load_encoder(
    path: Path,
    *,
    normalization: str = "auto",
    input_size: int = 0,
    max_pool: str = "auto",
    heads: int = 0,
    compared: bool = False,
) -> EncoderFile:
    """Read an encoder.

    Args:
        path: a safetensors file, torch checkpoint or TorchScript archive; the content decides, not
            the name.
        normalization: ``auto`` or what ``parse_normalization`` takes.
        input_size: side to resize images to; 0 leaves it to the file's family.
        max_pool: ``auto``, ``yes`` or ``no``: whether a max-pool follows a ResNet's stem.
        heads: attention heads of a transformer; 0 takes the file's record, else the usual number.
        compared: whether its features are known to be those of the code that wrote the file.

    Raises:
        EncoderError: if the file is missing, too large, unreadable weights-only or of an unknown
            layout; a ``MatchError`` with the report if it does not fill the whole backbone.
    """
    options = Options(normalization, input_size, max_pool, heads, compared)
    return make_encoder(read_file(path), path.name, options)


def make_encoder(file: StoredFile, file_name: str, options: Options) -> EncoderFile:
    """The encoder in a file that the gate has read.

    The file's tensors are taken out of it one by one, so that memory never holds all of them
    beside the encoder's.

    Raises:
        EncoderError: as ``load_encoder`` does.
    """
    other = misleading(file)
    if other is not None:
        raise EncoderError(f"The file holds {other.holds}.", other.remedy)
    layout = find_layout(file)
    stored = file.tensors
    # Shapes only, for all that values do not matter to: nothing is copied before it is needed.
    shapes = {key: tensor.to("meta") for key, tensor in stored.items()}
    outline = {name: joined(shapes, keys) for name, keys in layout.sources.items()}
    architecture = find_architecture(outline, file.metadata, options.heads)
    family = find_family(Evidence(file, layout, architecture))
    pool = choose_pool(options.max_pool, file.metadata, family, architecture, layout.names.max_pool)
    if pool.value is not None and pool.value != architecture.has_max_pool:
        architecture = dataclasses.replace(architecture, max_pool=bool(pool.value))
    with torch.device("meta"):  # Shapes only: a small file must not make us allocate a huge one.
        encoder = build_encoder(architecture)
    ignored, copies = sort_ignored(stored, layout)
    match = compare(encoder.state_dict(), layout, shapes, ignored)
    demand_complete(match, in_words(architecture), shorten(file_name))
    doubts = demand_sound(
        ((name, joined(stored, keys)) for name, keys in layout.sources.items()),
        shorten(file_name),
    )
    head, head_names = find_head(stored, architecture)
    entries = list_entries(stored, layout, ignored, copies, head_names)
    for key in ignored:
        del stored[key]
    fill(encoder, layout, stored)
    return EncoderFile(
        encoder=encoder.eval().requires_grad_(False),
        head=head,
        normalization=settled_normalization(options.normalization, file, family, architecture),
        size=choose_size(options.input_size, file.metadata, family, architecture),
        max_pool=pool,
        family=family,
        layout=layout,
        match=match,
        entries=entries,
        file=dataclasses.replace(file, tensors={}),
        warnings=[
            *doubts,
            *untold_doubts(file, architecture, options),
            *doubts_of(family, ignored, options),
            *other_encoders(file, ignored, layout),
        ],
    )


def settled_normalization(
    text: str, file: StoredFile, family: Family, architecture: Architecture
) -> Normalization:
    """The normalisation; what is wrong with the file's own is the file's fault, not a setting's."""
    try:
        return choose_normalization(text, file.metadata, family, architecture)
    except ConfigError as error:
        if text != "auto":
            raise
        raise EncoderError(
            "The file's own record of its normalisation cannot be read.",
            "Give it by --normalization.",
        ) from error


def fill(encoder: Encoder, layout: Layout, stored: dict[str, torch.Tensor]) -> None:
    """Give the network (built on the meta device) the file's weights, as float32.

    Each tensor leaves ``stored`` once it is copied.
    """
    state = {}
    for name, parameter in encoder.state_dict().items():
        keys = layout.sources.get(name, ())
        if name.endswith(COUNTER) and not keys:
            state[name] = torch.zeros((), dtype=torch.long)
            continue
        state[name] = own_copy(joined(stored, keys), parameter.dtype)
        for key in keys:
            del stored[key]
    encoder.load_state_dict(state, assign=True)


def own_copy(tensor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """The tensor in our number format, sharing no memory with the file's."""
    copy = torch.empty(tensor.shape, dtype=dtype)
    return copy.copy_(tensor.detach())


def find_head(
    stored: Mapping[str, torch.Tensor], architecture: Architecture
) -> tuple[ProjectionHead | None, dict[str, str]]:
    """The projection head, where the file holds one of SimCLR's shape, and its names there."""
    for prefix in ("g.", "module.g.", "head."):
        last = stored.get(f"{prefix}3.weight")
        if last is None or last.ndim != 2 or not 0 < last.shape[0] <= architecture.feature_dim * 8:
            continue
        head = ProjectionHead(architecture.feature_dim, last.shape[0])
        names = {key: f"{prefix}{key}" for key in head.state_dict()}
        fits = all(
            name in stored
            and stored[name].shape == head.state_dict()[key].shape
            and bool(torch.isfinite(stored[name].float()).all())
            for key, name in names.items()
        )
        if fits:
            head.load_state_dict({key: stored[name] for key, name in names.items()})
            return head.eval().requires_grad_(False), names
    return None, {}


def list_entries(
    tensors: Mapping[str, torch.Tensor],
    layout: Layout,
    ignored: Mapping[str, str],
    copies: Mapping[str, str],
    head_names: Mapping[str, str],
) -> dict[str, Entry]:
    """What every tensor of the file is, in the file's order."""
    places = {
        key: (name, part) for name, keys in layout.sources.items() for part, key in enumerate(keys)
    }
    sources = places | {copy: places[original] for copy, original in copies.items()}
    sources |= {theirs: (f"head.{ours}", 0) for ours, theirs in head_names.items()}
    return {
        key: Entry(
            tuple(tensor.shape), tensor.dtype, ignored.get(key, "backbone"),
            *sources.get(key, ("", 0)),
        )
        for key, tensor in tensors.items()
    }  # fmt: skip
