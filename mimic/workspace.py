"""The runs folder as a whole: how much it may hold, and uploads that no run needs any more."""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mimic.errors import (
    ConfigError,
    CutShortError,
    DataError,
    EncoderError,
    MimicError,
    StorageError,
    TriggerError,
)
from mimic.paths import real
from mimic.run import Run, list_runs, storage_errors, trashed

QUOTA_GIB = 20.0
GIB = 2**30
JOB_ROOM = 200 * 2**20
"""Bytes a job is expected to write at most, beside what is already there."""
UPLOADS = "uploads"
FORGOTTEN_SECONDS = 24 * 3600.0
JUST_CHOSEN_SECONDS = 3600.0
"""An upload this young may belong to a page on which nothing has been started yet."""


def quota() -> int:
    """Bytes the runs folder may hold: ``$MIMIC_QUOTA_GB`` (in GiB), or 20 GiB.

    Raises:
        ConfigError: if the variable holds no positive number.
    """
    text = os.environ.get("MIMIC_QUOTA_GB", "")
    try:
        gibibytes = float(text) if text else QUOTA_GIB
    except ValueError:
        gibibytes = math.nan
    if not (math.isfinite(gibibytes) and gibibytes > 0):
        raise ConfigError(
            "MIMIC_QUOTA_GB is not a positive number.", "Set it to a size in GiB, for example 20."
        )
    return int(gibibytes * GIB)


def size(folder: Path) -> int:
    """Bytes of all regular files below a folder; links are not followed."""
    total, waiting = 0, [folder]
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):  # It may have gone since it was listed.
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(Path(entry.path))
                    elif entry.is_file(follow_symlinks=False):
                        total += entry.stat(follow_symlinks=False).st_size
    return total


def preflight(root: Path, needed: int = JOB_ROOM) -> None:
    """Refuse work that the runs folder has no room for; called before a job and an upload.

    Args:
        root: folder of runs.
        needed: bytes about to be written.

    Raises:
        StorageError: if that would exceed the quota.
    """
    allowed, held = quota(), size(root)
    if held + needed > allowed:
        raise StorageError(
            f"The runs folder holds {held / GIB:.1f} GiB and may hold {allowed / GIB:.1f}.",
            "Delete runs (python -m mimic runs --delete RUN, then --empty-trash), or raise "
            "MIMIC_QUOTA_GB.",
        )


def uploads_in_use(root: Path, *, but: Run | None = None) -> set[Path]:
    """Uploads that the settings of a run name, also inside a longer text such as a trigger's.

    Args:
        root: folder of runs.
        but: a run that does not count.
    """
    folder = (root / UPLOADS).resolve()
    uploads = set(folder.iterdir()) if folder.is_dir() else set()
    used = set()
    for run in (*list_runs(root), *trashed(root)):  # A deleted run may come back.
        if but is None or run.directory.resolve() != but.directory.resolve():
            with contextlib.suppress(MimicError):
                said = "\n".join(texts_in(run.about()["config"]))
                used |= {path for path in uploads if path.name in said}  # Names are random.
    return used


def texts_in(values: Any) -> Iterator[str]:
    """Every text among settings, at any depth."""
    if isinstance(values, str):
        yield values
    elif isinstance(values, dict | list | tuple):
        for value in values.values() if isinstance(values, dict) else values:
            yield from texts_in(value)


def tidy(root: Path, *, older_than: float = FORGOTTEN_SECONDS) -> list[Path]:
    """Delete uploads that no run names.

    Args:
        root: folder of runs.
        older_than: seconds; younger files stay.

    Returns:
        The deleted files.

    Raises:
        StorageError: if one cannot be deleted.
    """
    folder = (root / UPLOADS).resolve()
    if not folder.is_dir():
        return []
    used, now = uploads_in_use(root), time.time()
    gone = []
    with storage_errors():
        for path in sorted(folder.iterdir()):
            young = now - path.lstat().st_mtime < older_than
            if path.is_file() and path not in used and not young:
                path.unlink(missing_ok=True)
                gone.append(path)
    return gone


@contextlib.contextmanager
def refusals_leave_nothing(run: Run, path: Path) -> Iterator[None]:
    """Delete an upload whose content is refused inside, unless another run names it too.

    Args:
        run: the run that reads it.
        path: the file.
    """
    try:
        yield
    except CutShortError:
        raise
    except (EncoderError, DataError, TriggerError):
        root = run.directory.parent
        inside = real(path).parent == real(root / UPLOADS)
        if inside and real(path) not in uploads_in_use(root, but=run):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
        raise
