"""Attention maps as heat over the picture they belong to, as PNG bytes."""

from __future__ import annotations

import io

import numpy as np

from ui import palette

SIDE = 128
HEAT = 0.82
"""How much of a pixel is heat; the rest is the picture in grey, so that both can be made out."""
WHOLE_PICTURE = 0.5
"""An area larger than this has no outline that would help."""


def heat(values: np.ndarray) -> np.ndarray:
    """Colours of cividis: values in 0 to 1, any shape, to uint8 (..., 3)."""
    stops = np.array(
        [[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in palette.SEQUENTIAL], dtype=float
    )
    places = np.linspace(0, 1, len(stops))
    channels = [np.interp(values, places, stops[:, k]) for k in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def fitted(values: np.ndarray, height: int, width: int) -> np.ndarray:
    """Values (h, w, ...) at another size by the nearest one: squares stay squares."""
    rows = (np.arange(height) * values.shape[0]) // height
    columns = (np.arange(width) * values.shape[1]) // width
    return np.asarray(values[rows][:, columns])


def size_of(picture: np.ndarray) -> tuple[int, int]:
    """Height and width at which a picture is drawn: about ``SIDE``, in whole pixels of its own."""
    height, width = picture.shape[:2]
    times = max(1, -(-SIDE // max(height, width)))
    return height * times, width * times


def border(area: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The edge of an area, bool (H, W): its outer pixels, and the pixels just outside it."""
    padded = np.pad(area, 1)
    shifted = [padded[1:-1, :-2], padded[1:-1, 2:], padded[:-2, 1:-1], padded[2:, 1:-1]]
    return area & ~np.logical_and.reduce(shifted), ~area & np.logical_or.reduce(shifted)


def outlined(pixels: np.ndarray, area: np.ndarray | None) -> np.ndarray:
    """Draw the edge of an area, white inside and black outside it, so that it shows on all colours.

    Args:
        pixels: uint8 (H, W, 3).
        area: bool, of any size; None and an area of nearly everything draw nothing.
    """
    if area is None or area.mean() > WHOLE_PICTURE:
        return pixels
    inner, outer = border(fitted(area, *pixels.shape[:2]))
    drawn = pixels.copy()
    drawn[inner] = 255
    drawn[outer] = 0
    return drawn


def overlay(
    picture: np.ndarray, attention: np.ndarray, top: float, area: np.ndarray | None = None
) -> np.ndarray:
    """One attention map over its picture.

    Args:
        picture: uint8 (H, W, 3), what the network saw.
        attention: its map (h, w), at least 0.
        top: the value drawn brightest; maps with one top compare.
        area: the trigger's area, bool (H, W), to outline.

    Returns:
        uint8 (H', W', 3).
    """
    size = size_of(picture)
    grey = fitted(picture, *size).astype(float).mean(axis=-1, keepdims=True)
    hot = heat(np.clip(attention.astype(float) / max(top, 1e-12), 0, 1))
    mixed = HEAT * fitted(hot, *size) + (1 - HEAT) * grey
    return outlined(mixed.round().astype(np.uint8), area)


def plain(picture: np.ndarray) -> np.ndarray:
    """A picture without heat, as large as its overlays."""
    return fitted(picture, *size_of(picture))


def png(pixels: np.ndarray) -> bytes:
    """Pixels, uint8 (H, W, 3), as a file."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, format="PNG")
    return buffer.getvalue()


def scale_png() -> bytes:
    """The colours from none to most, left to right."""
    return png(fitted(heat(np.linspace(0, 1, 96))[None], 10, 192))
