import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mimic.errors import TriggerError
from mimic.trigger import PatchTrigger, Trigger


def badencoder_stamp(image: np.ndarray, tm: np.ndarray, t: np.ndarray) -> np.ndarray:
    stamped = np.zeros_like(image)
    for row in range(image.shape[0]):
        for column in range(image.shape[1]):
            for channel in range(3):
                value = int(image[row, column, channel]) * int(tm[row, column, channel])
                stamped[row, column, channel] = value + int(t[row, column, channel])
    return stamped


def random_images(count: int, side: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, side, side, 3)).astype(np.uint8)


def write(path: Path, **arrays: np.ndarray) -> Path:
    np.savez(path, allow_pickle=True, **arrays)
    return path


def published_arrays() -> dict[str, np.ndarray]:
    tm = np.ones((1, 32, 32, 3), dtype=np.int64)
    t = np.zeros((1, 32, 32, 3), dtype=np.float64)
    tm[:, 21:31, 21:31] = 0
    t[:, 21:31, 21:31] = 255
    return {"t": t, "tm": tm}


def test_the_published_square_sits_at_rows_and_columns_21_to_30() -> None:
    trigger = Trigger.from_text("square:21:21:10", image_size=32)
    images = random_images(2, 32)
    stamped = trigger.apply(images)
    changed = {(r, c) for r in range(21, 31) for c in range(21, 31)}
    for before, after in zip(images, stamped, strict=True):
        for row in range(32):
            for column in range(32):
                expected = 255 if (row, column) in changed else before[row, column]
                assert (after[row, column] == expected).all()
    assert trigger.changed_pixels == 100
    assert trigger.shape == (32, 32)


def test_a_file_in_badencoders_layout_stamps_bit_for_bit_alike(tmp_path: Path) -> None:
    arrays = published_arrays()
    trigger = Trigger.load(write(tmp_path / "t.npz", **arrays, info=np.array("white square")))
    images = random_images(3, 32)
    stamped = trigger.apply(images)
    assert stamped.dtype == np.uint8
    for before, after in zip(images, stamped, strict=True):
        reference = badencoder_stamp(before, arrays["tm"][0], arrays["t"][0])
        np.testing.assert_array_equal(after, reference)


def test_a_coloured_patch_of_odd_shape_is_stamped_as_by_the_loop() -> None:
    rng = np.random.default_rng(1)
    mask = (rng.random((8, 6, 3)) < 0.7).astype(np.uint8)
    patch = ((1 - mask) * rng.integers(0, 256, mask.shape)).astype(np.uint8)
    image = rng.integers(0, 256, mask.shape).astype(np.uint8)
    stamped = PatchTrigger(mask=mask, patch=patch).apply(image[None])[0]
    np.testing.assert_array_equal(stamped, badencoder_stamp(image, mask, patch))


@settings(max_examples=30, deadline=None)
@given(row=st.integers(0, 11), column=st.integers(0, 11), size=st.integers(1, 4))
def test_only_masked_pixels_change_and_the_input_stays(row: int, column: int, size: int) -> None:
    trigger = Trigger.square(row=row, column=column, size=size, image_size=16)
    images = random_images(2, 16) // 2  # No pixel is white already.
    before = images.copy()
    stamped = trigger.apply(images)
    np.testing.assert_array_equal(images, before)
    changed = (stamped != images).any(axis=(0, 3))
    inside = np.zeros((16, 16), dtype=bool)
    inside[row : row + size, column : column + size] = True
    np.testing.assert_array_equal(changed, inside)
    np.testing.assert_array_equal(trigger.apply(stamped), stamped)


def test_saving_and_loading_returns_the_same_trigger(tmp_path: Path) -> None:
    trigger = Trigger.square(row=3, column=5, size=4, image_size=16)
    trigger.save(tmp_path / "t.npz")
    with np.load(tmp_path / "t.npz", allow_pickle=False) as stored:
        assert stored["t"].shape == stored["tm"].shape == (1, 16, 16, 3)
    loaded = Trigger.from_text(str(tmp_path / "t.npz"), image_size=16)
    np.testing.assert_array_equal(loaded.mask, trigger.mask)
    np.testing.assert_array_equal(loaded.patch, trigger.patch)


def test_a_leading_axis_is_optional_and_its_first_entry_counts(tmp_path: Path) -> None:
    arrays = published_arrays()
    flat = Trigger.load(write(tmp_path / "flat.npz", **{k: v[0] for k, v in arrays.items()}))
    two = {k: np.concatenate([v, v[:, ::-1]]) for k, v in arrays.items()}
    first = Trigger.load(write(tmp_path / "two.npz", **two))
    expected = Trigger.load(write(tmp_path / "one.npz", **arrays))
    for trigger in (flat, first):
        np.testing.assert_array_equal(trigger.mask, expected.mask)
        np.testing.assert_array_equal(trigger.patch, expected.patch)


def test_preview_shows_the_patch_on_grey() -> None:
    preview = Trigger.square(row=0, column=0, size=2, image_size=4).preview()
    assert preview.shape == (4, 4, 3)
    assert set(np.unique(preview[:2, :2])) == {255}
    assert set(np.unique(preview[2:])) == {128}


def test_images_of_another_size_are_refused_with_both_sizes_named() -> None:
    trigger = Trigger.square(row=0, column=0, size=2, image_size=16)
    with pytest.raises(TriggerError, match="16x16 pixels, the images have 32x24"):
        trigger.apply(np.zeros((1, 32, 24, 3), dtype=np.uint8))


@pytest.mark.parametrize(
    "text", ["square:-1:0:2", "square:0:0", "square:15:0:2", "square:0:15:2", "square:0:0:0"]
)
def test_squares_outside_the_image_are_refused(text: str) -> None:
    with pytest.raises(TriggerError):
        Trigger.from_text(text, image_size=16)


def test_negative_corners_are_refused() -> None:
    with pytest.raises(TriggerError):
        Trigger.square(row=-1, column=0, size=2, image_size=16)


def test_a_patch_that_reaches_beyond_its_mask_is_refused_with_the_remedy(tmp_path: Path) -> None:
    arrays = published_arrays()
    arrays["t"][0, 3, 4, 1] = 9
    with pytest.raises(TriggerError, match="1 - tm"):
        Trigger.load(write(tmp_path / "t.npz", **arrays))


def test_a_mask_that_keeps_every_pixel_is_refused(tmp_path: Path) -> None:
    empty = {"t": np.zeros((8, 8, 3)), "tm": np.ones((8, 8, 3))}
    with pytest.raises(TriggerError, match="change no pixel"):
        Trigger.load(write(tmp_path / "t.npz", **empty))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -1.0, 256.0, 1e30])
@pytest.mark.parametrize("key", ["t", "tm"])
def test_values_that_are_no_pixels_are_refused(tmp_path: Path, key: str, value: float) -> None:
    arrays = {k: v.astype(float) for k, v in published_arrays().items()}
    arrays[key][0, 25, 25, 0] = value
    with pytest.raises(TriggerError):
        Trigger.load(write(tmp_path / "t.npz", **arrays))


def test_masks_between_zero_and_one_are_refused(tmp_path: Path) -> None:
    arrays = published_arrays()
    with pytest.raises(TriggerError, match="other than 0 and 1"):
        Trigger.load(write(tmp_path / "t.npz", t=arrays["t"], tm=arrays["tm"] * 0.5))


@pytest.mark.parametrize(
    "arrays",
    [
        {"t": np.zeros((16, 16, 3))},
        {"tm": np.ones((16, 16, 3))},
        {"t": np.zeros((16, 16, 3)), "tm": np.ones((8, 8, 3))},
        {"t": np.zeros((16, 16)), "tm": np.ones((16, 16))},
        {"t": np.zeros((3, 16, 16)), "tm": np.ones((3, 16, 16))},
        {"t": np.zeros((0, 16, 16, 3)), "tm": np.ones((0, 16, 16, 3))},
        {"t": np.zeros(()), "tm": np.ones(())},
        {"t": np.array([["a"]]), "tm": np.array([["b"]])},
    ],
    ids=["no-tm", "no-t", "unequal", "grey", "channels-first", "none", "scalar", "text"],
)
def test_arrays_of_the_wrong_form_are_refused(
    tmp_path: Path, arrays: dict[str, np.ndarray]
) -> None:
    with pytest.raises(TriggerError):
        Trigger.load(write(tmp_path / "t.npz", **arrays))


class Payload:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (type(self.marker).touch, (self.marker,))  # type: ignore[return-value]


def test_s1_pickled_arrays_are_refused_and_not_executed(tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    path = write(tmp_path / "t.npz", t=np.array([Payload(marker)], dtype=object), tm=np.ones(1))
    with pytest.raises(TriggerError, match="without pickle"):
        Trigger.load(path)
    assert not marker.exists()


def test_s4_truncated_and_foreign_files_are_refused(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.npz", **published_arrays()).read_bytes()
    path = tmp_path / "t.npz"
    for kept in (0, 1, 3, 40, len(whole) // 2, len(whole) - 30, len(whole) - 1):
        path.write_bytes(whole[:kept])
        with pytest.raises(TriggerError) as caught:
            Trigger.load(path)
        assert "Traceback" not in str(caught.value)
    for content in (b"t = 255", b"\x93NUMPY\x01\x00"):
        path.write_bytes(content)
        with pytest.raises(TriggerError):
            Trigger.load(path)
    with pytest.raises(TriggerError, match="no trigger file"):
        Trigger.load(tmp_path / "absent.npz")


def test_s10_archives_that_unpack_to_too_much_are_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "bomb.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("t.npy", bytes(65 * 2**20))
    assert path.stat().st_size < 2**20
    with pytest.raises(TriggerError, match="65 MiB"):
        Trigger.load(path)


def npy(header_shape: tuple[int, ...], body: bytes) -> bytes:
    header = {"descr": "|u1", "fortran_order": False, "shape": header_shape}
    buffer = io.BytesIO()
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue() + body


def test_s10_arrays_that_declare_more_than_their_member_holds_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("t.npy", npy((2**40, 2**20), b"abc"))
        archive.writestr("tm.npy", npy((1,), b"a"))
    with pytest.raises(TriggerError, match="cannot be read"):
        Trigger.load(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_s10_archives_that_hold_a_name_twice_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.npz"
    with zipfile.ZipFile(path, "w") as archive:
        for _ in range(2):
            archive.writestr("t.npy", npy((1,), b"a"))
    with pytest.raises(TriggerError, match="twice"):
        Trigger.load(path)
