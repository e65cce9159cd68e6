"""The SHA-256 of a stranger's file, within bounds: nobody knows beforehand how long it is.

What the system calls a regular file can go on for ever (``/proc/self/pagemap`` says it is empty) or
claim terabytes that take no room on the disk.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from mimic.errors import ConfigError
from mimic.paths import open_regular

MAX_FILE_BYTES = 4 * 2**30
"""The largest file that is read as an encoder; nothing larger is hashed."""
CHUNK_BYTES = 4 * 2**20


def of_file(path: Path, check: Callable[[], object] | None = None) -> str | None:
    """SHA-256 of a file in hexadecimal; None where it is no regular file of a bearable size.

    Args:
        path: the file.
        check: called before each part is read; what it raises ends the reading.
    """
    try:
        with open_regular(path, ConfigError) as file:
            size = os.fstat(file.fileno()).st_size
            return of_open(file, size, check) if 0 < size <= MAX_FILE_BYTES else None
    except (ConfigError, OSError):
        return None


def of_open(file: BinaryIO, size: int, check: Callable[[], object] | None = None) -> str:
    """SHA-256 of an open file's next ``size`` bytes, or of fewer where it ends before."""
    digest = hashlib.sha256()
    while size > 0:
        if check is not None:
            check()
        part = file.read(min(size, CHUNK_BYTES))
        if not part:
            break
        digest.update(part)
        size -= len(part)
    return digest.hexdigest()
