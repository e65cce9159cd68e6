"""Checkpoints of a run: the newest and the one before it, each recognised by length and SHA-256.

Three steps save one, and a crash between any two of them leaves a checkpoint that can be used: the
record comes to name the new file as well, the newest file becomes the previous one, the new file
takes its place.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mimic.errors import RunError
from mimic.run import durable
from mimic.run.directory import Run

NEWEST, PREVIOUS = "state.safetensors", "state-previous.safetensors"
RECORD = "checkpoints.json"
KNOWN = 3
"""Checkpoints that the record names: the two that are kept, and one about to take its place."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint file whose length and SHA-256 are those recorded.

    ``damaged`` names newer files that had to be passed over.
    """

    path: Path
    damaged: tuple[str, ...] = ()


class Checkpoints:
    """The checkpoints in a run's directory."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def save(self, write: Callable[[Path], object]) -> None:
        """Let ``write`` fill a file and make it the newest checkpoint.

        Raises:
            StorageError: if the disk is full; the checkpoints there were are still there.
        """
        newest = self.run.directory / NEWEST

        def write_and_step_back(path: Path) -> None:
            write(path)
            durable.sync_file(path)
            known = [fingerprint(path), *self._known()][:KNOWN]
            self.run.write_json(RECORD, {"known": known})
            if newest.is_file():
                newest.replace(self.run.directory / PREVIOUS)

        self.run.write_file(NEWEST, write_and_step_back)

    def latest(self) -> Checkpoint | None:
        """The newest checkpoint that is whole, or None where none was ever saved.

        Raises:
            RunError: if there are checkpoints and all of them are damaged.
        """
        known = self._known()
        damaged: list[str] = []
        for name in (NEWEST, PREVIOUS):
            path = self.run.directory / name
            if not path.is_file():
                continue
            if fingerprint(path) in known:
                return Checkpoint(path, tuple(damaged))
            damaged.append(name)
        if damaged:
            damaged = damaged if known else [RECORD]
            raise RunError(
                f"Run {self.run.id} has no whole checkpoint: {' and '.join(damaged)} "
                f"{'is' if len(damaged) == 1 else 'are'} damaged.",
                "Start a new run.",
            )
        return None

    def _known(self) -> list[Any]:
        """What the record says, newest first; nothing where it is missing or damaged."""
        try:
            known = (self.run.read_json(RECORD) or {}).get("known")
        except RunError:
            return []
        return known if isinstance(known, list) else []


def fingerprint(path: Path) -> dict[str, Any]:
    """Length and SHA-256 of a file."""
    return {"bytes": path.stat().st_size, "sha256": durable.file_sha256(path)}
