"""From a file to an encoder: recognise the layout, match every tensor, fill the network."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch

from mimic.checkpoint.families import MINE, Evidence, Family, find_family
from mimic.checkpoint.foreign import misleading
from mimic.checkpoint.gate import StoredFile, read_file
from mimic.checkpoint.ignored import SECOND, sort_ignored
from mimic.checkpoint.layouts import Layout, find_layout, joined
from mimic.checkpoint.match import COUNTER, Match, compare, demand_complete
from mimic.checkpoint.presets import (
    OWN_SIZE_LIMIT,
    SMALL_SIZE,
    UNCLEAR,
    Choice,
    Options,
    choose_normalization,
    choose_pool,
    choose_size,
)
from mimic.checkpoint.recognition import RECORD, find_architecture, in_words, read_record
from mimic.checkpoint.soundness import demand_sound
from mimic.encoder import Architecture, Encoder, ProjectionHead, build_encoder
from mimic.errors import ConfigError, EncoderError
from mimic.parsing.opcodes import shorten
from mimic.preprocessing import Normalization, Preprocessing

MAX_NAMED = 5


@dataclass(frozen=True)
class Entry:
    """One tensor of the file: what a file in the same layout has to have in its place.

    Args:
        shape: its shape.
        dtype: its number format.
        kind: ``backbone`` or what it is otherwise (head, queue ...).
        source: our name of the parameter it holds, empty where the encoder has none.
        part: which third of that parameter, where the file keeps q, k and v apart.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    kind: str
    source: str = ""
    part: int = 0


@dataclass
class EncoderFile:
    """An encoder as it came out of a file.

    Args:
        encoder: the backbone in eval mode, float32, gradients off.
        head: its projection head, where the file holds one that we know.
        normalization: what its inputs need.
        size: side its images are resized to, and why; None for the images' own.
        max_pool: whether its stem pools, and why.
        family: which code writes such files.
        layout: where the backbone is and how it is named.
        match: how tensors and parameters correspond.
        entries: every tensor of the file's state dict by the file's name; no values.
        file: what surrounded the tensors (its own are dropped, so that none can travel on).
        warnings: doubts about the file, one sentence each.
    """

    encoder: Encoder
    head: ProjectionHead | None
    normalization: Normalization
    size: Choice
    max_pool: Choice
    family: Family
    layout: Layout
    match: Match
    entries: dict[str, Entry]
    file: StoredFile
    warnings: list[str] = field(default_factory=list)

    @property
    def input_size(self) -> int | None:
        """Side the images are resized to, or None for their own."""
        return None if self.size.value is None else int(self.size.value)

    @property
    def preprocessing(self) -> Preprocessing:
        """What its images go through first."""
        return Preprocessing(
            self.normalization, self.input_size, largest=OWN_SIZE_LIMIT, smaller=SMALL_SIZE
        )

    @property
    def is_mine(self) -> bool:
        """Whether this project wrote it, so that its layout needs no second export."""
        return self.family.id == MINE

    @property
    def pool_is_unclear(self) -> bool:
        """Whether only trying can tell if a max-pool follows the stem."""
        return self.max_pool.source == UNCLEAR

    @property
    def summary(self) -> str:
        """What was recognised, in words."""
        kinds = {
            "safetensors": "safetensors", "torch": "torch checkpoint",
            "torchscript": "TorchScript archive read without running it",
        }  # fmt: skip
        prefix = self.layout.written_prefix
        wrapped = f"state dict under '{shorten(self.file.state_key)}'"
        return ", ".join(
            [
                kinds[self.file.kind],
                wrapped if self.file.state_key else "bare tensors",
                self.layout.names.title,
                *([f"keys begin with '{prefix}'"] if prefix else []),
            ]
        )


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


def untold_doubts(file: StoredFile, architecture: Architecture, options: Options) -> list[str]:
    """What of a transformer was assumed because no tensor tells it.

    A number of heads is told even where all published transformers of that width but one have it.
    """
    recorded = options.compared or read_record(file.metadata.get(RECORD, ""))
    if architecture.kind != "vit" or recorded:
        return []
    doubts = []
    if not options.heads:
        doubts.append(
            f"The number of attention heads is not stored in the file; {architecture.head_count} "
            "was assumed (--heads changes it)."
        )
    if architecture.class_token and not architecture.norm_after_pool:
        doubts.append(
            "The file does not tell how its transformer pools its tokens; the class token was "
            "taken, with which an encoder trained on the average of all gives wrong features."
        )
    doubts.append(
        "The file holds a CLIP transformer but not which activation it was trained with; GELU "
        "was assumed, with which an encoder trained with quick-GELU gives wrong features."
        if architecture.pre_norm
        else "The file does not tell which activation its transformer was trained with; GELU was "
        "assumed, with which an encoder trained with another gives wrong features."
    )
    return doubts


def doubts_of(family: Family, ignored: Mapping[str, str], options: Options) -> list[str]:
    """What a reader of any result should know of the file."""
    doubts = [family.doubt] if family.doubt and options.normalization == "auto" else []
    unknown = [shorten(name) for name, why in ignored.items() if why == "other"]
    if unknown:
        more = f" and {len(unknown) - MAX_NAMED} more" if len(unknown) > MAX_NAMED else ""
        doubts.append(
            f"The file also holds tensors of unknown purpose, which are not used: "
            f"{', '.join(unknown[:MAX_NAMED])}{more}."
        )
    return doubts


def other_encoders(file: StoredFile, ignored: Mapping[str, str], layout: Layout) -> list[str]:
    """Which other whole networks the file holds: a verdict on one says nothing of the others."""
    doubts = []
    if file.other_states:
        shown = ", ".join(f"'{shorten(key)}'" for key in file.other_states[:MAX_NAMED])
        used = f"those under '{shorten(file.state_key)}'" if file.state_key else "the outermost"
        doubts.append(
            f"The file also holds tensors under {shown}, which are not examined: {used} are."
        )
    second = next((key for key, kind in ignored.items() if kind == SECOND), None)
    if second is not None:
        used = shorten(layout.sources[layout.names.stem][0])
        doubts.append(
            f"The file holds a second, different encoder (with {shorten(second)}), which is not "
            f"examined: the one with {used} is."
        )
    return doubts


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
