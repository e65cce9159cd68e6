"""The patch that moves: inside its band, by the image alone, by the seed."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mimic.errors import TriggerError
from mimic.trigger import RandomPatchTrigger, Trigger


def images(count: int, side: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 200, (count, side, side, 3)).astype(np.uint8)


def white(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 4), 255, np.uint8)


@settings(max_examples=60, deadline=None)
@given(
    side=st.integers(8, 40), height=st.integers(1, 4), width=st.integers(1, 4),
    low=st.floats(0, 0.4), high=st.floats(0.5, 1), seed=st.integers(0, 1000),
)  # fmt: skip
def test_the_patch_lies_whole_within_its_band(
    side: int, height: int, width: int, low: float, high: float, seed: int
) -> None:
    trigger = RandomPatchTrigger(white(height, width), low=low, high=high, seed=seed)
    given_images = images(4, side, seed)
    for before, after in zip(given_images, trigger.apply(given_images), strict=True):
        rows, columns = np.nonzero((before != after).any(axis=-1))
        assert (len(set(rows)), len(set(columns))) == (height, width)
        assert len(rows) == height * width
        for places, size in ((rows, height), (columns, width)):
            first, last = places.min(), places.max()
            assert first >= int(side * low)
            assert last < max(int(side * high), int(side * low) + size)


def test_every_place_of_the_band_is_used_about_equally() -> None:
    trigger = RandomPatchTrigger(white(8, 8), low=0.25, high=0.75)
    places = np.array([trigger.place(image) for image in images(4000, 32)])
    # UMBC draws the corner from int(32 * .25) to int(32 * .75 - 8), both included.
    for axis in (0, 1):
        counts = np.bincount(places[:, axis], minlength=17)
        assert counts[:8].sum() == 0
        assert (counts[8:17] > 4000 / 9 * 0.75).all()
        assert (counts[8:17] < 4000 / 9 * 1.25).all()
    assert abs(np.corrcoef(places.T)[0, 1]) < 0.06


def test_another_seed_moves_the_patches() -> None:
    places = [
        [RandomPatchTrigger(white(4, 4), seed=seed).place(image) for image in images(50, 32)]
        for seed in (0, 0, 1)
    ]
    assert places[0] == places[1]
    assert sum(a == b for a, b in zip(places[0], places[2], strict=True)) < 10


def test_places_are_the_same_in_another_process() -> None:
    code = (
        "import numpy as np; from mimic.trigger import RandomPatchTrigger as R;"
        "i = np.arange(32 * 32 * 3).reshape(32, 32, 3).astype(np.uint8);"
        "print(R(np.full((4, 4, 4), 255, np.uint8)).place(i))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    image = np.arange(32 * 32 * 3).reshape(32, 32, 3).astype(np.uint8)
    assert done.stdout.strip() == str(RandomPatchTrigger(white(4, 4)).place(image))


def test_transparent_pixels_let_the_image_through(patch_png: Path) -> None:
    trigger = Trigger.from_text(f"random-patch:{patch_png}:4", image_size=16)
    assert isinstance(trigger, RandomPatchTrigger)
    image = images(1, 16)[0]
    row, column = trigger.place(image)
    stamped = trigger.apply(image)
    np.testing.assert_array_equal(stamped[row : row + 4, column], image[row : row + 4, column])
    np.testing.assert_array_equal(
        stamped[row : row + 4, column + 1 : column + 4], trigger.picture[:, 1:, :3]
    )


def test_the_band_of_the_text_counts_and_the_measuring_one_is_usual(patch_png: Path) -> None:
    usual = Trigger.from_text(f"random-patch:{patch_png}:4", image_size=32)
    given_band = Trigger.from_text(f"random-patch:{patch_png}:4:0.25:0.75", image_size=32)
    assert isinstance(usual, RandomPatchTrigger)
    assert isinstance(given_band, RandomPatchTrigger)
    assert (usual.low, usual.high) == (0.1, 0.9)
    assert (given_band.low, given_band.high) == (0.25, 0.75)


@pytest.mark.parametrize("band", ["0.9:0.1", "0.5:0.5", "0.2:1.5"])
def test_bands_that_are_none_are_refused(patch_png: Path, band: str) -> None:
    with pytest.raises(TriggerError, match="no band"):
        Trigger.from_text(f"random-patch:{patch_png}:4:{band}", image_size=16)


def test_a_patch_that_would_stick_out_is_refused(patch_png: Path) -> None:
    with pytest.raises(TriggerError, match="does not lie within"):
        Trigger.from_text(f"random-patch:{patch_png}:12:0.5:0.9", image_size=16)


def test_s10_a_stored_number_too_large_for_a_double_is_refused(tmp_path: Path) -> None:
    if np.finfo(np.longdouble).max == np.finfo(np.float64).max:
        pytest.skip("no longer numbers here")
    RandomPatchTrigger(picture=white(2, 2), seed=3).save(tmp_path / "t.npz")
    with np.load(tmp_path / "t.npz") as stored:
        arrays = dict(stored)
    np.savez(tmp_path / "t.npz", **(arrays | {"seed": np.longdouble("1e4000")}))
    with pytest.raises(TriggerError, match="other than finite numbers"):
        Trigger.load(tmp_path / "t.npz")
