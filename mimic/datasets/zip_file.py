"""Opening a stranger's zip, unless its list of members or what it unpacks to is beyond all use."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from typing import Any, BinaryIO, cast

from mimic.datasets import limits
from mimic.errors import DataError

MAX_LIST_BYTES = 4 * 2**20
"""Of the list at an archive's end: about 200 bytes for each of 20,000 members."""


class ShortReads:
    """A file that refuses to read much at once, until it is told otherwise.

    Python's reader takes the list in one piece and parses all of it, which is minutes for a list of
    a few hundred MiB. This asks no question about where the list begins that the reader could
    answer differently.
    """

    def __init__(self, file: BinaryIO, most: int) -> None:
        self._file = file
        self.most: int | None = most

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def read(self, size: int = -1) -> bytes:
        """The next bytes.

        Raises:
            DataError: if they are too many.
        """
        if self.most is None:
            return self._file.read(size)
        content = self._file.read(self.most + 1 if size < 0 else min(size, self.most + 1))
        if len(content) > self.most:
            raise DataError(
                f"The archive's list of members is longer than {self.most / 2**20:g} MiB.",
                "Use at most 20,000 files with short names.",
            )
        return content


def open_zip(file: BinaryIO, most: int = MAX_LIST_BYTES) -> zipfile.ZipFile:
    """An archive whose list of members is no longer than ``most`` bytes.

    Raises:
        DataError: if it is longer; for a damaged archive nearly anything else.
    """
    bounded = ShortReads(file, most)
    archive = zipfile.ZipFile(cast(BinaryIO, bounded))
    bounded.most = None
    return archive


def check_unpacked(infos: Sequence[zipfile.ZipInfo], name: str) -> None:
    """Refuse an archive that says itself that it would fill the memory.

    Raises:
        DataError: if it unpacks to more than ``limits.MAX_ARRAY_BYTES``.
    """
    unpacked = sum(info.file_size for info in infos)
    if unpacked > limits.MAX_ARRAY_BYTES:
        raise DataError(
            f"'{name}' unpacks to {unpacked / limits.GIBIBYTE:.1f} GiB.",
            "Cut it to at most 2 GiB, or give a folder of images.",
        )
