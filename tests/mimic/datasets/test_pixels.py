"""Arrays of other shapes and scales (S9): converted exactly and told, or refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mimic.datasets.pixels import as_pictures
from mimic.errors import DataError

RGB = np.random.default_rng(0).integers(0, 256, (5, 8, 9, 3)).astype(np.uint8)
RGB[0, 0, 0] = (0, 128, 255)
GREY = RGB[..., 0]


def test_pictures_as_they_should_be_pass_unchanged_and_unremarked() -> None:
    pictures, notes = as_pictures(RGB, "set")
    np.testing.assert_array_equal(pictures, RGB)
    assert notes == ()


@pytest.mark.parametrize("dtype", [np.int16, np.int64, np.uint16, np.float32, np.float64])
def test_s9_other_number_formats_are_converted_exactly_and_told(dtype: type) -> None:
    pictures, notes = as_pictures(RGB.astype(dtype), "set")
    np.testing.assert_array_equal(pictures, RGB)
    assert pictures.dtype == np.uint8
    assert len(notes) == 1
    assert "stored as" in notes[0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_s9_values_from_0_to_1_are_scaled_exactly_and_told(dtype: type) -> None:
    pictures, notes = as_pictures((RGB / 255).astype(dtype), "set")
    np.testing.assert_array_equal(pictures, RGB)
    assert "multiplied by 255" in notes[0]
    assert "rounded" not in notes[0]


def test_s9_rounding_is_told() -> None:
    _, notes = as_pictures(RGB + np.float32(0.4) * (RGB < 200), "set")
    assert "rounded to whole numbers" in notes[0]


SHAPES = {
    "channels-first": (RGB.transpose(0, 3, 1, 2), RGB, "channels first"),
    "grey": (GREY, np.repeat(GREY[..., None], 3, 3), "one grey channel"),
    "grey-with-axis": (GREY[..., None], np.repeat(GREY[..., None], 3, 3), "one grey channel"),
    "grey-first": (GREY[:, None], np.repeat(GREY[..., None], 3, 3), "one grey channel"),
    "transparent": (np.concatenate([RGB, RGB[..., :1]], 3), RGB, "fourth channel"),
    "transparent-first": (
        np.concatenate([RGB, RGB[..., :1]], 3).transpose(0, 3, 1, 2), RGB, "fourth channel"
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", SHAPES)
def test_s9_other_shapes_are_arranged_and_told(kind: str) -> None:
    given_array, expected, said = SHAPES[kind]
    pictures, notes = as_pictures(given_array, "set")
    np.testing.assert_array_equal(pictures, expected)
    assert any(said in note for note in notes)


@pytest.mark.parametrize("shape", [(3, 3, 9, 3), (5, 3, 4, 4), (5, 1, 9, 3), (5, 4, 7, 1)])
def test_s9_shapes_that_can_mean_two_things_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(DataError, match="leaves open"):
        as_pictures(np.full(shape, 9, np.uint8), "set")


@given(
    arrays.arrays(
        st.sampled_from([np.uint8, np.int32, np.float32, np.bool_]),
        arrays.array_shapes(min_dims=0, max_dims=5, max_side=6),
    )
)
def test_s9_any_array_is_either_pictures_or_refused(array: np.ndarray) -> None:
    try:
        pictures, notes = as_pictures(array, "set")
    except DataError:
        return
    assert pictures.dtype == np.uint8
    assert pictures.shape[-1] == 3
    assert len(pictures) == len(array)
    assert notes or (array.dtype == np.uint8 and array.shape == pictures.shape)


def test_grey_arrays_that_grow_beyond_the_cap_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mimic.datasets.limits.MAX_ARRAY_BYTES", 2 * GREY.nbytes)
    with pytest.raises(DataError, match="as RGB"):
        as_pictures(GREY, "set")
