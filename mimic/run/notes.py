"""Notes: a few words that a person keeps beside a run."""

from __future__ import annotations

import time

from mimic.errors import ConfigError, RunError
from mimic.run.directory import NOTE, Run
from mimic.run.listing import is_bundled

NOTE_LIMIT = 4_000
"""Characters of a note; longer texts belong into a file of their own."""


def write_note(run: Run, text: str) -> None:
    """Replace a run's note; an empty one removes it.

    Raises:
        RunError: if the run ships with the project.
        ConfigError: if the note is too long.
        StorageError: if it cannot be written.
    """
    if is_bundled(run):
        raise RunError(
            "This run ships with the project and keeps no notes.", "Rerun it and note that run."
        )
    kept = text.strip()
    if len(kept) > NOTE_LIMIT:
        raise ConfigError(
            f"The note has {len(kept):,} characters; {NOTE_LIMIT:,} are allowed.", "Shorten it."
        )
    run.write_json(NOTE, {"text": kept, "written": time.time()})
