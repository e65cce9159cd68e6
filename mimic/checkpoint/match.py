"""Whether the tensors of a file fill the whole network: the match report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from mimic.checkpoint.layouts import Layout, joined
from mimic.errors import EncoderError
from mimic.parsing.opcodes import shorten

Shape = tuple[int, ...]
COUNTER = "num_batches_tracked"
"""Batch-norm's counter: no weight, and absent from files of before 2018."""


@dataclass(frozen=True)
class Match:
    """How a file's tensors and a network's parameters correspond.

    Args:
        matched: the file's names that fill the backbone.
        ignored: the file's other names, and what each is.
        missing: our names of parameters that the file does not hold.
        mismatched: the file's names whose shapes differ, with the expected shape (None where the
            network has no such part) and the one found.
    """

    matched: tuple[str, ...] = ()
    ignored: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    mismatched: Mapping[str, tuple[Shape | None, Shape]] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether every parameter of the backbone is filled and none is left over."""
        return not self.missing and not self.mismatched

    def to_json(self) -> dict[str, Any]:
        """The report as JSON-ready lists."""
        return {
            "matched": list(self.matched),
            "ignored": [{"name": name, "why": why} for name, why in self.ignored.items()],
            "missing": list(self.missing),
            "mismatched": [
                {
                    "name": name,
                    "expected": None if expected is None else list(expected),
                    "found": list(found),
                }
                for name, (expected, found) in self.mismatched.items()
            ],
        }


class MatchError(EncoderError):
    """A file that does not fill the network; ``match`` says where.

    Args:
        cause: what is wrong, as one sentence.
        remedy: what the user can do, as one sentence.
        match: the report, None after the error has travelled between processes.
    """

    def __init__(self, cause: str, remedy: str, match: Match | None = None) -> None:
        super().__init__(cause, remedy)
        self.match = match


def compare(
    expected: Mapping[str, torch.Tensor],
    layout: Layout,
    tensors: Mapping[str, torch.Tensor],
    ignored: Mapping[str, str],
) -> Match:
    """Hold a file's tensors against a network's, by name and shape.

    Args:
        expected: the network's state dict; only its shapes count.
        layout: which of the file's tensors mean which parameter.
        tensors: the file's.
        ignored: the file's names outside the backbone, and what each is.
    """
    matched: list[str] = []
    mismatched: dict[str, tuple[Shape | None, Shape]] = {}
    for name, keys in layout.sources.items():
        found = tuple(joined(tensors, keys).shape)
        wanted = tuple(expected[name].shape) if name in expected else None
        if found == wanted:
            matched += keys
        else:
            mismatched |= {key: (wanted, tuple(tensors[key].shape)) for key in keys}
    missing = [n for n in expected if n not in layout.sources and not n.endswith(COUNTER)]
    return Match(tuple(matched), ignored, tuple(missing), mismatched)


def demand_complete(match: Match, network: str, file_name: str) -> None:
    """Refuse a file that fills less than 100 % of the backbone, or more than there is.

    Raises:
        MatchError: with the report.
    """
    foreign = [key for key, (wanted, _) in match.mismatched.items() if wanted is None]
    shaped = [key for key, (wanted, _) in match.mismatched.items() if wanted is not None]
    for what, keys in (
        ("lacks", match.missing), ("has unknown", foreign), ("has mis-shaped", shaped),
    ):  # fmt: skip
        if keys:
            raise MatchError(
                f"'{file_name}' {what} {', '.join(shorten(key) for key in sorted(keys)[:5])}"
                f"{f' and {len(keys) - 5} more' if len(keys) > 5 else ''}.",
                f"It does not match {network}; check that the file is complete.",
                match,
            )
