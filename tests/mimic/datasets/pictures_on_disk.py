"""Files that the tests of data sets write."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image


def png(colour: int = 100, side: int = 12, *, seed: int | None = None) -> bytes:
    """A PNG of one colour, or of noise."""
    pixels = np.full((side, side, 3), colour, np.uint8)
    if seed is not None:
        pixels = np.random.default_rng(seed).integers(0, 255, pixels.shape).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def write_tree(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files by their relative paths."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def two_classes(each: int = 10) -> dict[str, bytes]:
    """Files of two class folders, all different."""
    return {
        f"{name}/{i:02}.png": png(seed=100 * k + i)
        for k, name in enumerate(("ant", "bee"))
        for i in range(each)
    }


def huge_png(side: int = 12_000) -> bytes:
    """A valid grey PNG of ``side`` squared pixels, all black, that is small on disk."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        body = kind + content
        return struct.pack(">I", len(content)) + body + struct.pack(">I", zlib.crc32(body))

    packer = zlib.compressobj(9)
    rows = [packer.compress(bytes(side + 1)) for _ in range(side)]
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
        + chunk(b"IDAT", b"".join(rows) + packer.flush())
        + chunk(b"IEND", b"")
    )
