"""Writing files so that a crash at any moment leaves the old bytes or the new ones, never a mix.

A replacement is written beside its target, flushed to the disk, renamed over it, and the folder's
own entry is flushed too: without that last step a power cut can bring the old file back.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from mimic.errors import StorageError

TEMPORARY = ".new-"
"""How the names of unfinished files begin; only a killed process leaves one behind."""
RESERVE_BYTES = 200 * 2**20
"""Free space that a run needs beside its checkpoints."""


@contextlib.contextmanager
def storage_errors() -> Iterator[None]:
    """Turn operating-system errors on writing into a StorageError."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageError(
                "The disk is full.", "Free some space, then resume or repeat the run."
            ) from error
        reason = (os.strerror(error.errno) if error.errno else str(error)).lower()
        raise StorageError(
            f"The run directory cannot be written ({reason}).",
            "Choose a folder you may write to with --root or MIMIC_RUNS.",
        ) from error


def replace_file(target: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` fill a temporary file in the target's folder, then move it into place durably.

    Raises:
        StorageError: if the disk is full or the folder cannot be written. The target then holds its
            old bytes, or the new ones where only the folder could not be flushed.
    """
    with storage_errors():
        make_folder(target.parent)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=TEMPORARY)
        os.close(handle)
        temporary = Path(name)
        try:
            write(temporary)
            sync_file(temporary)
            temporary.chmod(0o644)
            temporary.replace(target)
            sync_folder(target.parent)
        finally:
            temporary.unlink(missing_ok=True)


def make_folder(folder: Path) -> None:
    """Make a folder and its parents where they are missing, each one's entry on the disk."""
    missing = [part for part in (folder, *folder.parents) if not part.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for part in missing:
        sync_folder(part.parent)


def append_line(path: Path, line: str) -> None:
    """Add a line to a file; where that fails half-way, the part written is taken away again.

    Raises:
        StorageError: if the disk is full or the file cannot be written.
    """
    data = (line + "\n").encode("utf-8")
    with storage_errors():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            before = os.fstat(handle).st_size
            try:
                while data:
                    data = data[os.write(handle, data) :]
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(handle, before)
                raise
        finally:
            os.close(handle)


def sync_file(path: Path) -> None:
    """Flush a file's bytes to the disk; a file that does not exist is left alone."""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to the disk, where the system can."""
    try:
        handle = os.open(folder, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    except PermissionError:  # Windows opens no folders, and a parent may be unreadable.
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # Some network disks cannot.
            raise
    finally:
        os.close(handle)


def remove_unfinished(folder: Path) -> int:
    """Remove the temporary files that a killed process left in a folder and those beneath it.

    Only for a folder that no process is at work on.

    Returns:
        How many there were.
    """
    left = [path for path in folder.rglob(f"{TEMPORARY}*") if path.is_file()]
    for path in left:
        path.unlink(missing_ok=True)
    return len(left)


def require_space(folder: Path, needed: int = RESERVE_BYTES) -> None:
    """Refuse work for which the disk has too little space left.

    Args:
        folder: where the work will write; it may not exist yet.
        needed: bytes.

    Raises:
        StorageError: if less is free.
    """
    existing = next(part for part in (folder, *folder.absolute().parents) if part.exists())
    free = shutil.disk_usage(existing).free
    if free < needed:
        raise StorageError(
            f"The disk has {free / 2**20:,.0f} MiB left and the run needs "
            f"{needed / 2**20:,.0f} MiB.",
            "Free some space, or choose a folder on another disk with --root or MIMIC_RUNS.",
        )


def file_sha256(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
