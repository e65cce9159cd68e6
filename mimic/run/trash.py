"""Deleting runs so that it can be undone: they move into a folder beside the others.

A move within one folder is a single rename, so a run is at every moment either whole at its place
or whole in the trash.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from mimic.errors import RunError
from mimic.run.directory import Run
from mimic.run.durable import make_folder, storage_errors, sync_folder
from mimic.run.listing import RUN_ID, is_bundled, kind_of

TRASH = ".trash"
DELETED = "deleted.json"
KEPT_SECONDS = 30 * 24 * 3600.0
"""A run that has lain in the trash for so long is removed when the runs folder is tidied."""


def discard(run: Run) -> Run:
    """Move a run into the trash of its folder.

    Returns:
        The run at its new place.

    Raises:
        RunError: if it ships with the project or a process is at work on it.
        StorageError: if it cannot be moved.
    """
    if is_bundled(run) or is_at_work(run):
        raise RunError(
            f"Run {run.id} is at work or ships with the project.", "Stop it first, or keep it."
        )
    folder = run.directory.parent / TRASH
    with storage_errors():
        make_folder(folder)
        run.write_json(DELETED, {"deleted": time.time()})
        move(run.directory, folder)
    return Run(folder / run.id)


def restore(run_id: str, root: Path) -> Run:
    """Move a run out of the trash, back among the others.

    Args:
        run_id: the run's id.
        root: folder of runs.

    Raises:
        RunError: if the trash holds no such run, or its place has been taken.
        StorageError: if it cannot be moved.
    """
    trashed = root / TRASH / run_id
    if not RUN_ID.fullmatch(run_id) or not (trashed / "run.json").is_file():
        raise RunError(
            f"The trash holds no run called '{run_id}'.",
            "List what it holds with: python -m mimic runs --trash",
        )
    with storage_errors():
        move(trashed, root)
        (root / run_id / DELETED).unlink(missing_ok=True)
    return Run(root / run_id)


def move(directory: Path, folder: Path) -> None:
    """Move a run's directory into another folder of the same disk, replacing nothing."""
    if (folder / directory.name).exists():
        raise RunError(
            f"There is another run called '{directory.name}' already.",
            "Rename one of the two folders, or empty the trash.",
        )
    directory.rename(folder / directory.name)
    sync_folder(folder)
    sync_folder(directory.parent)


def trashed(root: Path) -> list[Run]:
    """Readable runs in the trash, the one deleted last first."""
    folder = root / TRASH
    runs = [Run(d) for d in folder.iterdir()] if folder.is_dir() else []
    return sorted((run for run in runs if kind_of(run)), key=deleted_at, reverse=True)


def deleted_at(run: Run) -> float:
    """When a run was deleted, in seconds since 1970, or 0 where that is not known."""
    try:
        return float((run.read_json(DELETED) or {})["deleted"])
    except (RunError, KeyError, TypeError, ValueError):
        return 0.0


def empty_trash(root: Path, *, older_than: float = 0.0) -> list[str]:
    """Remove runs from the trash for good.

    Args:
        root: folder of runs.
        older_than: seconds; runs deleted more recently stay.

    Returns:
        The removed runs' ids.
    """
    now = time.time()
    gone = [run for run in trashed(root) if now - deleted_at(run) >= older_than]
    for run in gone:
        shutil.rmtree(run.directory, ignore_errors=True)
    return [run.id for run in gone if not run.directory.exists()]


def is_at_work(run: Run) -> bool:
    """Whether a process is at work on the run; one with a damaged status is taken for ended."""
    try:
        return run.status().is_active
    except RunError:
        return False
