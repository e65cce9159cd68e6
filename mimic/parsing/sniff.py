"""What a file is, by its bytes; its name is never asked."""

from __future__ import annotations

import os
import stat
import string
from pathlib import Path
from typing import Literal

from mimic.errors import EncoderError
from mimic.parsing.opcodes import shorten

Format = Literal["zip", "legacy", "safetensors", "pickle"]
HEAD_BYTES = 512
LEGACY_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""How files of torch.save began before version 1.6: a pickled number."""

KNOWN = (
    (b"\x89PNG", "a PNG image"), (b"\xff\xd8\xff", "a JPEG image"), (b"GIF8", "a GIF image"),
    (b"BM", "a bitmap image"), (b"\x1f\x8b", "a gzip archive"), (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"), (b"7z\xbc\xaf", "a 7-zip archive"), (b"Rar!", "a RAR archive"),
    (b"\x28\xb5\x2f\xfd", "a zstandard archive"), (b"\x93NUMPY", "a NumPy array"),
    (b"\x89HDF", "an HDF5 file (Keras?)"), (b"%PDF", "a PDF document"),
    (b"\x7fELF", "a program"), (b"MZ", "a Windows program"), (b"#!", "a script"),
    (b"GGUF", "a GGUF model"), (b"PK\x05\x06", "an empty zip archive"),
    (b"version https://git-lfs", "a Git LFS pointer, not the file it stands for"),
)  # fmt: skip


def find_format(content: bytes | memoryview, name: str) -> Format:
    """The format of a file.

    Raises:
        EncoderError: if it is none that holds an encoder, saying what it is instead.
    """
    head = bytes(content[:HEAD_BYTES])
    if head.startswith(b"PK\x03\x04"):
        return "zip"
    if head.startswith(LEGACY_MAGIC):
        return "legacy"
    if head[8:9] == b"{":
        return "safetensors"
    if head[:1] == b"\x80" and head[1:2] in b"\x02\x03\x04\x05" and len(head) > 2:
        return "pickle"
    raise EncoderError(
        f"'{name}' is {describe(head)}, not an encoder file.",
        "Choose the encoder's weights: a .safetensors file, or a .pth or .pt file of PyTorch.",
    )


def first_look(path: Path, name: str) -> None:
    """Refuse at once what its first bytes show to be no encoder file.

    It spares whoever picked a wrong file the wait for a job. What passes is unproven as before: the
    gate alone decides. A file that cannot be opened is left to it, too.

    Args:
        path: the file, of which nothing but the first 512 bytes are read.
        name: what to call it.

    Raises:
        EncoderError: as ``find_format``.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return
    try:
        regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
        head = os.read(descriptor, HEAD_BYTES) if regular else b""
    except OSError:
        return
    finally:
        os.close(descriptor)
    if head:
        find_format(head, shorten(name))


def describe(head: bytes) -> str:
    """What else a file is, in a few words."""
    for magic, what in KNOWN:
        if head.startswith(magic):
            return what
    if head[257:262] == b"ustar":
        return "a tar archive"
    if head.lstrip()[:14].lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        return "an HTML page (a download page?)"
    if not any(head):
        return "filled with zeros"
    if set(head) <= set(string.printable.encode()):
        return "a text"
    return "of an unknown format, or damaged"
