"""Small images made large enough to see, as PNG bytes."""

from __future__ import annotations

import io

import numpy as np


def enlarged(image: np.ndarray, side: int = 224) -> np.ndarray:
    """Repeat pixels until the image is about ``side`` wide, so that each stays a sharp square."""
    times = max(1, side // max(image.shape[:2]))
    return image.repeat(times, axis=0).repeat(times, axis=1)


def png(image: np.ndarray, side: int = 224) -> bytes:
    """One image, uint8 (H, W, 3), enlarged."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(enlarged(np.ascontiguousarray(image), side)).save(buffer, format="PNG")
    return buffer.getvalue()


def pair_png(clean: np.ndarray, stamped: np.ndarray, side: int = 96) -> bytes:
    """A clean image and its stamped copy side by side."""
    gap = np.full((clean.shape[0], max(1, clean.shape[1] // 16), 3), 128, dtype=np.uint8)
    return png(np.concatenate([clean, gap, stamped], axis=1), 2 * side)


def strip_png(images: np.ndarray, side: int = 72) -> bytes:
    """Several images in a row."""
    gap = np.full((images.shape[1], max(1, images.shape[2] // 12), 3), 128, dtype=np.uint8)
    parts = [piece for image in images for piece in (image, gap)][:-1]
    return png(np.concatenate(parts, axis=1), side * len(images))
