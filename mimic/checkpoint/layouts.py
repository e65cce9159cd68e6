"""Where in a file the backbone is: its prefix, its naming, and each of our parameters' source."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch

from mimic.checkpoint.foreign import explain
from mimic.checkpoint.gate import StoredFile
from mimic.checkpoint.names import NAMINGS, Naming
from mimic.errors import EncoderError

PREFIXES = (
    "backbone.", "encoder_q.", "model.module.", "model.", "encoder.", "visual.", "f.f.", "f.",
    "resnet.", "vit.", "",
)  # fmt: skip
"""Where public checkpoints keep the backbone, most specific first (CTRL's BYOL holds it twice)."""
PARALLEL = re.compile(r"(?:module\.)*")
PARTS = 3
MOST_NAMES, MOST_PARTS, MOST_PREFIXES = 20_000, 8, 120
"""Names, parts of each, and prefixes that are searched for an unknown one: strangers choose them.
A ResNet-152 has 50 blocks."""


@dataclass(frozen=True)
class Layout:
    """How a file names a backbone.

    Args:
        naming: a key of ``NAMINGS``.
        prefix: what stands before the backbone's names, ``module.`` of parallel training left out.
        written_prefix: the same as the file writes it.
        sources: our parameter name to the file's; three of them where ours joins q, k and v.
    """

    naming: str
    prefix: str
    written_prefix: str
    sources: Mapping[str, tuple[str, ...]]

    @property
    def names(self) -> Naming:
        """How the names read."""
        return NAMINGS[self.naming]


def find_layout(file: StoredFile) -> Layout:
    """The backbone in a file, under the first prefix and naming that yield one.

    Raises:
        EncoderError: if there is none, or the file names a parameter twice.
    """
    stripped = [(key, strip_parallel(key)) for key in file.tensors]
    found = first_of(stripped, PREFIXES)
    if found is None:
        unknown = unknown_prefixes([short for _, short in stripped])
        fitting = [one for prefix in unknown if (one := first_of(stripped, [prefix]))]
        found = fitting[0] if len(fitting) == 1 else None  # Of several, which counts is unknown.
    if found is None:
        holds, remedy = explain(file)
        raise EncoderError(holds, remedy)
    return found


def first_of(stripped: Sequence[tuple[str, str]], prefixes: Iterable[str]) -> Layout | None:
    """The backbone under the first of some prefixes that yields one.

    Args:
        stripped: the file's names, and each without what parallel training puts in front.
        prefixes: to try.
    """
    for prefix in prefixes:
        below = [(key, strip_parallel(short.removeprefix(prefix)))
                 for key, short in stripped if short.startswith(prefix)]  # fmt: skip
        for naming in NAMINGS:
            sources = backbone_sources(below, NAMINGS[naming])
            if sources is not None:
                stem = sources[NAMINGS[naming].stem][0]
                return Layout(naming, prefix, written_prefix(stem, prefix), sources)
    return None


def unknown_prefixes(names: Sequence[str]) -> list[str]:
    """What stands before the names that end like a backbone's stem; asked where no known one fits.

    Args:
        names: the file's, without what parallel training puts in front.

    Returns:
        The prefixes, a block's among them, whose first convolution is called like the stem; nothing
        where there are more than any network of ours has.
    """
    found: dict[str, None] = {}
    for name in names[:MOST_NAMES]:
        parts = name.split(".")
        for cut in range(1, min(len(parts), MOST_PARTS)):
            rest = strip_parallel(".".join(parts[cut:]))
            if any(naming.translate(rest) == (naming.stem, 0) for naming in NAMINGS.values()):
                found[".".join(parts[:cut]) + "."] = None
    return list(found) if len(found) <= MOST_PREFIXES else []


def backbone_sources(
    below: Iterable[tuple[str, str]], naming: Naming
) -> dict[str, tuple[str, ...]] | None:
    """Our names to the file's, or None if this naming yields no encoder.

    Args:
        below: the file's names, and what stands in each after the prefix.
        naming: how to read the latter.

    Raises:
        EncoderError: if two of the file's names mean the same parameter.
    """
    places: dict[str, dict[int, str]] = {}
    twice = ""
    for key, short in below:
        place = naming.translate(short)
        if place is None:
            continue
        name, part = place
        parts = places.setdefault(name, {})
        twice = twice or (name if part in parts else "")
        parts[part] = key
    if naming.stem not in places or not any(name.startswith(naming.body) for name in places):
        return None
    if twice:
        raise EncoderError(
            f"The file names {twice} twice under different prefixes, so it is not clear which of "
            "them counts.",
            "Ask for a file that holds the encoder once.",
        )
    whole = {name: parts for name, parts in places.items() if len(parts) in (1, PARTS)}
    return {
        name: tuple(parts[part] for part in sorted(parts))
        for name, parts in whole.items()
        if 0 in parts
    }


def place_of(key: str, prefix: str, naming: Naming) -> tuple[str, int] | None:
    """Where one of the file's names belongs; prefixes count at the start of a name only."""
    short = strip_parallel(key)
    if not short.startswith(prefix):
        return None
    return naming.translate(strip_parallel(short.removeprefix(prefix)))


def strip_parallel(name: str) -> str:
    """The name without the ``module.`` that each parallel wrapper puts in front."""
    found = PARALLEL.match(name)
    return name[found.end() :] if found else name


def written_prefix(stem: str, prefix: str) -> str:
    """The characters before the backbone's own name of the stem, as the file writes them."""
    kept = strip_parallel(strip_parallel(stem).removeprefix(prefix))
    return stem.removesuffix(kept)


def joined(tensors: Mapping[str, torch.Tensor], keys: tuple[str, ...]) -> torch.Tensor:
    """A parameter of ours from the file's tensors: the one, or q, k and v on top of each other.

    Returns:
        The tensor, or an empty one of no axes where the three do not fit together.
    """
    if len(keys) == 1:
        return tensors[keys[0]]
    parts = [tensors[key] for key in keys]
    alike = all(p.shape == parts[0].shape and p.dtype == parts[0].dtype for p in parts)
    return torch.cat(parts) if alike and parts[0].ndim else torch.empty(0)
