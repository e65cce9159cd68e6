"""Zip archives as torch writes them, checked before any record is read."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass

from mimic.errors import EncoderError

MAX_MEMBERS = 10_000
MAX_CODE_BYTES = 64 * 2**20
MAX_RATIO = 100
AGAIN = "Download or copy the file again."
PLAIN = "Ask for the weights as .safetensors or as a plain dictionary of tensors."

TRIGGERS = (
    {"t", "tm"}, {"kind", "row_mask", "row_patch"}, {"kind", "picture"}, {"kind", "pattern"},
    {"kind", "magnitude", "window"},
)  # fmt: skip
"""Arrays by which a NumPy archive is known as a trigger; ``mimic.trigger.stored`` reads them."""
IMAGES = {"x", "images", "x_train", "x_test", "train_images", "test_images"}
"""Arrays by which one is known as an image set; ``mimic.datasets.npz`` reads them."""


@dataclass(frozen=True)
class Archive:
    """A checked archive.

    Args:
        opened: for reading members by their full name.
        top: the folder all members lie in, with its slash.
        members: byte sizes, by the name below ``top``.
        is_torchscript: whether it holds a program beside its weights.
    """

    opened: zipfile.ZipFile
    top: str
    members: dict[str, int]
    is_torchscript: bool

    def read(self, member: str) -> bytes:
        """The bytes of a member."""
        return self.opened.read(self.top + member)


def open_archive(content: bytes, name: str) -> Archive:
    """Check an archive and open it.

    Raises:
        EncoderError: if it is damaged, no torch archive, or packed as torch never does.
    """
    try:
        opened = zipfile.ZipFile(io.BytesIO(content))
        members = opened.infolist()
    except Exception as error:  # Several kinds; each means refusal.
        raise EncoderError(f"'{name}' is a damaged archive.", AGAIN) from error
    top = check_names([member.filename for member in members], name)
    below = {member.filename.removeprefix(top): member.file_size for member in members}
    is_torchscript = "constants.pkl" in below and any(n.startswith("code/") for n in below)
    check_kind(below, is_torchscript, name)
    check_packing(opened, members, content, top, name)
    check_sums(opened, name)
    if "byteorder" in below and below["byteorder"] > 10:
        raise odd(name)
    archive = Archive(opened, top, below, is_torchscript)
    if "byteorder" in below and archive.read("byteorder") != b"little":
        raise EncoderError(
            f"'{name}' was written on a machine with another byte order.",
            "Convert it to .safetensors on the machine that wrote it.",
        )
    return archive


def odd(name: str) -> EncoderError:
    """The refusal of an archive that torch cannot have written."""
    return EncoderError(f"'{name}' is packed in a way that torch.save never does.", PLAIN)


def check_names(names: list[str], name: str) -> str:
    """The folder all members lie in; refuse ambiguous and escaping names."""
    if not names:
        raise EncoderError(f"'{name}' is an empty archive.", AGAIN)
    top = names[0].partition("/")[0] + "/"
    parts = [part for n in names for part in n.split("/")]
    if len(names) > MAX_MEMBERS or len({n.casefold() for n in names}) < len(names):
        raise odd(name)
    if any(p in ("", ".", "..") or "\\" in p or "\0" in p or ":" in p for p in parts):
        raise odd(name)
    return top if all(n.startswith(top) for n in names) else ""


def check_kind(below: dict[str, int], is_torchscript: bool, name: str) -> None:
    """Refuse archives of something else, saying of what."""
    if "data.pkl" in below and (is_torchscript or all(torch_saves(member) for member in below)):
        return
    what = "a zip archive of something else"
    if all(member.endswith(".npy") for member in below):
        raise not_an_encoder({member.removesuffix(".npy") for member in below}, name)
    if any("archive_format" in m or m.startswith(("models/", "data/weights")) for m in below):
        what = "an exported program (.pt2)"
    elif any(member.startswith(".data/extern_modules") for member in below):
        what = "a torch.package archive, which carries code"
    elif "data.pkl" in below:
        raise odd(name)
    raise EncoderError(f"'{name}' is {what}, not a checkpoint.", PLAIN)


def not_an_encoder(arrays: set[str], name: str) -> EncoderError:
    """The refusal of a NumPy archive, saying where it belongs as far as its arrays' names tell."""
    if any(known <= arrays for known in TRIGGERS):
        return EncoderError(f"'{name}' is a trigger, not an encoder.", "Give it with --trigger.")
    if arrays & IMAGES:
        return EncoderError(f"'{name}' is an image set, not an encoder.", "Give it with --data.")
    return EncoderError(f"'{name}' is a NumPy archive (.npz), not a checkpoint.", PLAIN)


def torch_saves(member: str) -> bool:
    """Whether torch.save writes a member of this name."""
    if member.startswith("data/"):
        return member.removeprefix("data/").isdecimal()
    return member in {
        "data.pkl", "version", "byteorder", ".data/serialization_id", ".format_version",
        ".storage_alignment",
    }  # fmt: skip


def check_packing(
    opened: zipfile.ZipFile, members: list[zipfile.ZipInfo], content: bytes, top: str, name: str
) -> None:
    """Refuse compressed weights, overlaps, and whatever two readers could read differently."""
    packed = sum(m.file_size for m in members if m.compress_type != zipfile.ZIP_STORED)
    if packed > min(MAX_CODE_BYTES, MAX_RATIO * len(content)):
        raise odd(name)
    if content[-22:-18] != b"PK\x05\x06" or opened.comment:  # Else there could be a second list.
        raise odd(name)
    end = 0
    for member in sorted(members, key=lambda m: m.header_offset):
        code = member.filename.removeprefix(top).startswith("code/")
        methods = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED} if code else {zipfile.ZIP_STORED}
        start = member.header_offset
        header = content[start : start + 30]
        length = int.from_bytes(header[26:28], "little")
        named = content[start + 30 : start + 30 + length]
        method = int.from_bytes(header[8:10], "little")
        if (
            member.compress_type not in methods
            or method != member.compress_type
            or member.flag_bits & 0x2061  # Encrypted, patched, or with a masked header.
            or header[:4] != b"PK\x03\x04"
            or named != member.orig_filename.encode()
            or start < end
            or (end == 0 and start != 0)
            or (method == zipfile.ZIP_STORED and member.compress_size != member.file_size)
            or member.file_size > MAX_RATIO * max(100, member.compress_size)
        ):
            raise odd(name)
        end = start + 30 + length + int.from_bytes(header[28:30], "little") + member.compress_size
    if end > opened.start_dir:
        raise odd(name)


def check_sums(opened: zipfile.ZipFile, name: str) -> None:
    """Refuse an archive with a wrong checksum: torch.load would take its wrong weights."""
    try:
        damaged = opened.testzip()
    except Exception as error:
        raise EncoderError(f"'{name}' is a damaged archive.", AGAIN) from error
    if damaged is not None:
        raise EncoderError(f"'{name}' is damaged: a checksum is wrong.", AGAIN)
