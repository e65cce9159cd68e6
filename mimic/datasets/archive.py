"""A zip of a folder of images, read member by member in memory: nothing is ever unpacked to disk.

An archive with a single member that could do harm elsewhere, or that no honest zip of images has,
is refused whole.
"""

from __future__ import annotations

import stat
import unicodedata
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO

from mimic.datasets import limits
from mimic.datasets.image_set import Split
from mimic.datasets.listing import Listing
from mimic.datasets.tree import Leaf, arrange
from mimic.datasets.zip_file import check_unpacked, open_zip
from mimic.errors import DataError
from mimic.printable import shown

ENCRYPTED = 0x1 | 0x40
PLAIN = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
SMALL = 64 * 2**10
"""Members up to this size may shrink as they like: a small single-colour BMP does."""
REMEDY = "Zip a plain folder of images again."


@contextmanager
def open_archive(file: BinaryIO, name: str, split: Split) -> Iterator[Listing]:
    """The images of an archive, readable while it is open.

    Raises:
        DataError: if the archive is damaged or refused, see ``check_members``.
    """
    try:
        archive = open_zip(file)
        infos = archive.infolist()
        size = file.seek(0, 2)
    except DataError:
        raise
    except Exception as error:  # zipfile raises more than its own error on damaged files.
        raise DataError(f"'{shown(name)}' cannot be read as a zip archive.", REMEDY) from error
    with archive:
        check_members(infos, size, shown(name))
        files = [info for info in infos if not info.is_dir()]
        parts = {info.filename: parts_of(info.filename) for info in files}
        # A zipped folder holds that one folder; what counts is what is in it.
        tops = {names[0] for names in parts.values()}
        wrapped = len(tops) == 1 and all(len(names) > 1 for names in parts.values())
        leaves = [
            Leaf(parts[info.filename][int(wrapped) :], partial(read_member, archive, info))
            for info in files
        ]
        yield arrange(shown(name), leaves, split)


def parts_of(name: str) -> tuple[str, ...]:
    """Folders and name of a member."""
    return tuple(part for part in name.split("/") if part not in {"", "."})


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """A member's bytes, counted while they are read.

    Raises:
        DataError: if they are more or fewer than declared, or damaged.
    """
    short = shown(parts_of(info.filename)[-1])
    try:
        with archive.open(info) as stream:
            content = stream.read(info.file_size + 1)
    except Exception as error:  # Checksums, overlaps, broken compression: all mean refusal.
        raise DataError(f"'{short}' is damaged in the archive.", REMEDY) from error
    if len(content) != info.file_size:
        raise DataError(f"'{short}' has another size than the archive declares.", REMEDY)
    return content


def check_members(infos: list[zipfile.ZipInfo], size: int, name: str) -> None:
    """Refuse an archive whole for any member that leads elsewhere, repeats, or explodes.

    Args:
        infos: its members.
        size: its bytes.
        name: what to call it.

    Raises:
        DataError: naming the first reason.
    """
    if len(infos) > limits.MAX_MEMBERS:
        raise DataError(f"'{name}' has {len(infos)} members.", "Use at most 20,000 files.")
    seen: set[str] = set()
    for info in infos:
        reason = member_problem(info)
        key = folded(info.filename)
        if reason is None and key in seen:
            reason = "is there twice"
        seen.add(key)
        if reason is not None:
            member = shown(info.filename.rsplit("/", 1)[-1] or info.filename)
            raise DataError(f"In '{name}', the member '{member}' {reason}.", REMEDY)
    check_unpacked(infos, name)
    if sum(info.compress_size for info in infos) > size:
        raise DataError(f"The members of '{name}' overlap.", REMEDY)


def folded(name: str) -> str:
    """A name as a file system that ignores case and accents' spelling compares it."""
    return "/".join(parts_of(unicodedata.normalize("NFC", name).casefold()))


def member_problem(info: zipfile.ZipInfo) -> str | None:
    """Why a member makes its archive unacceptable; None if it does not."""
    name, mode = info.filename, info.external_attr >> 16
    first = name[:2]
    # zipfile cuts names at NUL and turns the machine's own separator; orig_filename is what is
    # really there.
    if name.startswith("/") or "\\" in info.orig_filename or first[1:] == ":":
        return "has an absolute path or a backslash"
    if ".." in name.split("/") or "\0" in info.orig_filename or not parts_of(name):
        return "has a path that leads elsewhere"
    if info.flag_bits & ENCRYPTED:
        return "is encrypted"
    if info.compress_type not in PLAIN:
        return "is packed by an unusual method"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a device"
    if info.file_size > max(SMALL, limits.MAX_RATIO * info.compress_size):
        return f"unpacks to more than {limits.MAX_RATIO} times its size"
    return None
