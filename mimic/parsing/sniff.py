"""What a file is, by its bytes; its name is never asked."""

from __future__ import annotations

import string
from typing import Literal

from mimic.errors import EncoderError

Format = Literal["zip", "legacy", "safetensors", "pickle"]
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
    head = bytes(content[:512])
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
        "Supported are .safetensors files, checkpoints of torch.save, and TorchScript archives.",
    )


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
