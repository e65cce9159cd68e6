"""An encoder as it came out of a file, with all that a file in the same layout has to have."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from mimic.checkpoint.families import MINE, Family
from mimic.checkpoint.gate import StoredFile
from mimic.checkpoint.layouts import Layout
from mimic.checkpoint.match import Match
from mimic.checkpoint.presets import OWN_SIZE_LIMIT, SMALL_SIZE, UNCLEAR, Choice
from mimic.encoder import Encoder, ProjectionHead
from mimic.parsing.opcodes import shorten
from mimic.preprocessing import Normalization, Preprocessing


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
