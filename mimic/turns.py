"""One training per device: the others of the same runs folder wait in the order they came.

Who waits puts a ticket into a folder, a file named by the time it came, and keeps touching it. The
first in line takes the device's lock, which the operating system frees when its holder dies, so a
killed process holds nobody up: its ticket counts no longer, its lock is gone.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

import filelock
import psutil

from mimic.run import process_lives, storage_errors
from mimic.run.status import SILENT_SECONDS

POLL_SECONDS = 0.5


class Ticket:
    """A place in the line for a device.

    Args:
        folder: the runs folder; its runs share the device by turns.
        device: the device's name, such as ``cuda-0``.
        name: who waits, for example the run's id; unique within the folder.

    Raises:
        StorageError: if the folder cannot be written.
    """

    def __init__(self, folder: Path, device: str, name: str) -> None:
        self.line = folder / f".{device}.queue"
        process = psutil.Process()
        came = f"{time.time_ns():020d}"
        self.path = self.line / f"{came}-{process.pid}-{process.create_time():.2f}-{name}"
        self.lock = filelock.FileLock(folder / f".{device}.lock")
        with storage_errors():
            self.line.mkdir(parents=True, exist_ok=True)
            self.path.touch()

    def place(self) -> int:
        """The place in the line, from 1; tickets of processes that are gone are thrown away."""
        ahead = 0
        for path in sorted(self.line.iterdir()):
            if path.name >= self.path.name:
                break
            if is_kept(path):
                ahead += 1
        with contextlib.suppress(OSError):
            os.utime(self.path)
        return ahead + 1

    def try_turn(self) -> bool:
        """Take the device if it is this ticket's turn and the device is free."""
        if self.place() > 1:
            return False
        with storage_errors(), contextlib.suppress(filelock.Timeout):
            self.lock.acquire(timeout=0)
        return bool(self.lock.is_locked)

    def give_back(self) -> None:
        """Leave the line, and the device if it was taken."""
        self.path.unlink(missing_ok=True)
        self.lock.release()


def is_kept(path: Path) -> bool:
    """Whether somebody stands behind a ticket; one whose process is gone is thrown away."""
    try:
        _, pid, created, _ = path.name.split("-", 3)
        if not process_lives(int(pid), float(created)):
            path.unlink(missing_ok=True)
            return False
        return time.time() - path.stat().st_mtime < SILENT_SECONDS  # A frozen process is passed by.
    except (OSError, ValueError):
        return False


@contextlib.contextmanager
def own_run(directory: Path) -> Iterator[bool]:
    """Hold a run's own lock, so that no second process executes it at the same time.

    Yields:
        Whether the lock could be had.
    """
    lock = filelock.FileLock(directory / "lock")
    with storage_errors(), contextlib.suppress(filelock.Timeout):
        lock.acquire(timeout=0)
    try:
        yield lock.is_locked
    finally:
        lock.release()
