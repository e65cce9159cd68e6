"""CTRL's stamp against the transform written out in loops."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mimic.errors import TriggerError
from mimic.trigger import FrequencyTrigger, Trigger


def cosines(side: int) -> np.ndarray:
    """The orthonormal DCT-II matrix, entry by entry."""
    matrix = np.zeros((side, side))
    for k in range(side):
        scale = math.sqrt((1 if k == 0 else 2) / side)
        for n in range(side):
            matrix[k, n] = scale * math.cos(math.pi * (2 * n + 1) * k / (2 * side))
    return matrix


def ctrl(image: np.ndarray, magnitude: float, window: int, places: list[int]) -> np.ndarray:
    """One image, uint8 (H, W, 3), pixel by pixel and window by window."""
    height, width, _ = image.shape
    yuv = np.zeros((3, height, width))
    for i in range(height):
        for j in range(width):
            r, g, b = (float(v) for v in image[i, j])
            yuv[0, i, j] = 0.299 * r + 0.587 * g + 0.114 * b
            yuv[1, i, j] = -0.147 * r - 0.289 * g + 0.436 * b
            yuv[2, i, j] = 0.615 * r - 0.515 * g - 0.100 * b
    basis = cosines(window)
    for channel in (1, 2):
        for top in range(0, height, window):
            for left in range(0, width, window):
                block = yuv[channel, top : top + window, left : left + window]
                spectrum = basis @ block @ basis.T
                for place in places:
                    spectrum[place, place] += magnitude
                yuv[channel, top : top + window, left : left + window] = basis.T @ spectrum @ basis
    out = np.zeros_like(image)
    for i in range(height):
        for j in range(width):
            y, u, v = yuv[:, i, j]
            colours = (y + 1.14 * v, y - 0.396 * u - 0.581 * v, y + 2.029 * u)
            out[i, j] = [min(255, max(0, round(c))) for c in colours]
    return out


def images(count: int, side: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, side, side, 3)).astype(np.uint8)


def test_the_loops_own_transform_is_orthonormal() -> None:
    basis = cosines(32)
    np.testing.assert_allclose(basis @ basis.T, np.eye(32), atol=1e-12)


@pytest.mark.parametrize("magnitude", [50, 100, 200])
def test_ctrl_on_cifar_sized_images_is_the_loops_result(magnitude: float) -> None:
    given = images(3, 32)
    stamped = Trigger.from_text(f"ctrl:{magnitude}", image_size=32).apply(given)
    for before, after in zip(given, stamped, strict=True):
        np.testing.assert_array_equal(after, ctrl(before, magnitude, 32, [15, 31]))


def test_larger_images_are_stamped_window_by_window() -> None:
    given = images(1, 64)
    stamped = FrequencyTrigger().apply(given)
    np.testing.assert_array_equal(stamped[0], ctrl(given[0], 100, 32, [15, 31]))
    np.testing.assert_array_equal(
        stamped[:, 32:, :32], FrequencyTrigger().apply(given[:, 32:, :32])
    )


def test_a_smaller_window_raises_its_middle_and_last_coefficient() -> None:
    given = images(2, 16)
    stamped = Trigger.from_text("ctrl:80:16", image_size=16).apply(given)
    np.testing.assert_array_equal(stamped[1], ctrl(given[1], 80, 16, [7, 15]))


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**16))
def test_the_two_colour_matrices_undo_each_other_within_rounding(seed: int) -> None:
    given = images(1, 8, seed)
    np.testing.assert_array_equal(FrequencyTrigger(magnitude=1e-6, window=8).apply(given), given)


@pytest.mark.parametrize("side", [16, 33, 48])
def test_s9_sizes_that_windows_do_not_fill_are_refused(side: int) -> None:
    with pytest.raises(TriggerError, match="do not fill"):
        Trigger.from_text("ctrl", image_size=side)
    with pytest.raises(TriggerError, match="do not fill"):
        FrequencyTrigger().apply(images(1, side))


@pytest.mark.parametrize("text", ["ctrl:0", "ctrl:100:0", "ctrl:100:5", "ctrl:99999"])
def test_values_without_sense_are_refused(text: str) -> None:
    with pytest.raises(TriggerError):
        Trigger.from_text(text, image_size=32)
