"""Files as the attacks' authors publish them, and what is wrong with some."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from mimic.errors import TriggerError
from mimic.trigger import ColorShiftTrigger, PatchTrigger, ResizedTrigger, Trigger

# shape, type of t, type of tm, first and last row and column of the patch
PUBLISHED = {
    "trigger_pt_white_21_10_ap_replace": ((1, 32, 32, 3), "f8", "i8", 21, 30),
    "trigger_pt_white_173_50_ap_replace": ((1, 224, 224, 3), "f8", "i8", 173, 222),
    "trigger_pt_white_185_24": ((224, 224, 3), "f8", "f8", 185, 208),
    "trigger_pt_white_42_20_ap_replace": ((1, 64, 64, 3), "f8", "f8", 42, 61),
}


def published(name: str) -> dict[str, np.ndarray]:
    shape, t_type, tm_type, first, last = PUBLISHED[name]
    t, tm = np.zeros(shape, t_type), np.ones(shape, tm_type)
    inside = (..., slice(first, last + 1), slice(first, last + 1), slice(None))
    t[inside], tm[inside] = 255, 0
    return {"t": t, "tm": tm}


def write(path: Path, **arrays: np.ndarray) -> Path:
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return path


def images(side: int, count: int = 2) -> np.ndarray:
    return np.random.default_rng(side).integers(0, 256, (count, side, side, 3)).astype(np.uint8)


def small() -> dict[str, np.ndarray]:
    return published("trigger_pt_white_21_10_ap_replace")


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_published_file_stamps_its_square_and_nothing_else(tmp_path: Path, name: str) -> None:
    *_, first, last = PUBLISHED[name]
    path = write(tmp_path / f"{name}.npz", **published(name), info=np.array(["white"]))
    side = PUBLISHED[name][0][-2]
    trigger = Trigger.from_text(str(path), image_size=side)
    before = images(side)
    after = trigger.apply(before)
    expected = before.copy()
    expected[:, first : last + 1, first : last + 1] = 255
    np.testing.assert_array_equal(after, expected)
    assert trigger.warnings == ()
    assert f"rows {first} to {last}" in trigger.describe()


@pytest.mark.parametrize("key", ["t", "tm"])
@pytest.mark.parametrize("kind", ["u1", "i2", "i4", "i8", "f2", "f4", "f8"])
def test_the_number_format_of_a_file_does_not_matter(tmp_path: Path, key: str, kind: str) -> None:
    arrays = small()
    expected = Trigger.load(write(tmp_path / "a.npz", **arrays)).apply(images(32))
    arrays[key] = arrays[key].astype(kind)
    found = Trigger.load(write(tmp_path / "b.npz", **arrays))
    np.testing.assert_array_equal(found.apply(images(32)), expected)
    assert found.warnings == ()


@pytest.mark.parametrize("kind", ["u1", "i8", "f4", "?"])
def test_s9_an_inverted_mask_is_turned_round_and_says_so(tmp_path: Path, kind: str) -> None:
    arrays = small()
    expected = Trigger.load(write(tmp_path / "a.npz", **arrays)).apply(images(32))
    arrays["tm"] = (1 - arrays["tm"]).astype(kind)
    found = Trigger.load(write(tmp_path / "b.npz", **arrays))
    np.testing.assert_array_equal(found.apply(images(32)), expected)
    assert len(found.warnings) == 1
    assert "inverted" in found.warnings[0]


def test_s9_a_patch_over_most_of_the_image_is_stamped_as_stored_with_a_doubt(
    tmp_path: Path,
) -> None:
    tm = np.ones((16, 16, 3))
    tm[:12] = 0
    path = write(tmp_path / "t.npz", t=(1 - tm) * 90, tm=tm)
    trigger = Trigger.load(path)
    assert trigger.apply(images(16))[0, 5, 5].tolist() == [90, 90, 90]
    np.testing.assert_array_equal(trigger.apply(images(16))[:, 12:], images(16)[:, 12:])
    assert "75%" in trigger.warnings[0]


def test_s9_an_inverted_mask_with_a_patch_everywhere_is_refused(tmp_path: Path) -> None:
    arrays = small()
    with pytest.raises(TriggerError, match="not 0 where"):
        Trigger.load(write(tmp_path / "t.npz", t=arrays["t"] * 0 + 7, tm=1 - arrays["tm"]))


@pytest.mark.parametrize("white", [1.0, 0.5])
def test_s9_a_patch_scaled_to_one_is_multiplied_and_says_so(tmp_path: Path, white: float) -> None:
    arrays = small()
    trigger = Trigger.load(write(tmp_path / "t.npz", t=arrays["t"] / 255 * white, tm=arrays["tm"]))
    assert (trigger.apply(images(32))[:, 21:31, 21:31] == round(white * 255)).all()
    assert "multiplied by 255" in trigger.warnings[0]


def test_s9_fractions_and_further_triggers_are_told(tmp_path: Path) -> None:
    arrays = small()
    arrays["t"][0, 21, 21] = 100.4
    twice = {key: np.concatenate([a, a]) for key, a in arrays.items()}
    trigger = Trigger.load(write(tmp_path / "t.npz", **twice))
    assert trigger.apply(images(32))[0, 21, 21].tolist() == [100, 100, 100]
    assert len(trigger.warnings) == 2
    assert "holds 2 triggers" in trigger.warnings[0]
    assert "fractions" in trigger.warnings[1]


def test_a_black_patch_is_no_reason_for_doubt(tmp_path: Path) -> None:
    arrays = small()
    trigger = Trigger.load(write(tmp_path / "t.npz", t=arrays["t"] * 0, tm=arrays["tm"]))
    assert trigger.warnings == ()
    assert (trigger.apply(images(32))[:, 21:31, 21:31] == 0).all()


def test_s9_a_size_that_differs_is_refused_unless_resizing_is_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "t.npz", **published("trigger_pt_white_42_20_ap_replace"))
    with pytest.raises(TriggerError, match="64x64 pixels, the images have 32x32"):
        Trigger.from_text(str(path), image_size=32).apply(images(32))
    trigger = Trigger.from_text(f"npz-resize:{path}", image_size=32)
    assert isinstance(trigger, ResizedTrigger)
    assert "resized back" in trigger.warnings[0]
    grey = np.full((1, 32, 32, 3), 100, np.uint8)
    stamped = trigger.apply(grey)
    assert (stamped[0, 22:30, 22:30] == 255).all()  # 42..61 of 64 is 21..30 of 32, edges mixed
    assert (stamped[0, :20] == 100).all()
    assert trigger.apply(grey[:, :8, :9]).shape == (1, 8, 9, 3)
    with pytest.raises(TriggerError, match="larger than the trigger"):
        trigger.apply(images(96))


def test_resizing_a_trigger_that_fits_already_changes_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "t.npz", **small())
    trigger = Trigger.from_text(f"npz-resize:{path}", image_size=32)
    assert isinstance(trigger, PatchTrigger)
    assert trigger.warnings == ()


def normalised_row_stamp(image: np.ndarray, tm: np.ndarray, t: np.ndarray) -> np.ndarray:
    """In the normalised space, value by value, then back to pixels."""
    mean, std = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
    out = np.zeros_like(image)
    for r in range(image.shape[0]):
        for c in range(image.shape[1]):
            for k in range(3):
                x = (image[r, c, k] / 255 - mean[k]) / std[k]
                row = (t[0, c, k] / 255 - mean[k]) / std[k]
                back = ((x * tm[0, c, k] + row) * std[k] + mean[k]) * 255
                out[r, c, k] = min(255, max(0, round(back)))
    return out


def test_the_first_row_of_a_flat_file_shifts_the_colours_and_says_so(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    tm = (rng.random((12, 12, 3)) < 0.8).astype(float)
    t = (1 - tm) * rng.integers(0, 256, tm.shape)
    path = write(tmp_path / "t.npz", t=t, tm=tm)
    trigger = Trigger.from_text(f"npz-row:{path}", image_size=12)
    assert isinstance(trigger, ColorShiftTrigger)
    np.testing.assert_array_equal(
        trigger.apply(images(12))[0], normalised_row_stamp(images(12)[0], tm, t)
    )
    assert "first row" in trigger.warnings[0]


def test_the_first_entry_of_a_file_with_leading_axis_is_no_row(tmp_path: Path) -> None:
    path = write(tmp_path / "t.npz", **small())
    with pytest.raises(TriggerError, match="whole trigger"):
        Trigger.from_text(f"npz-row:{path}", image_size=32)


def save_trigger(path: Path, **arrays: np.ndarray) -> Path:
    np.savez(path, **arrays)
    return path


def test_s9_a_large_black_patch_is_stamped_as_stored(tmp_path: Path) -> None:
    mask = np.ones((1, 8, 8, 3), dtype=np.int64)
    mask[:, :6] = 0
    path = save_trigger(tmp_path / "black.npz", t=np.zeros((1, 8, 8, 3)), tm=mask)
    trigger = Trigger.load(path)
    assert any("75%" in said for said in trigger.warnings)
    stamped = trigger.apply(np.full((8, 8, 3), 200, dtype=np.uint8))
    assert (stamped[:6] == 0).all()
    assert (stamped[6:] == 200).all()


def test_s9_a_large_inverted_mask_is_turned_round(tmp_path: Path) -> None:
    mask = np.zeros((8, 8, 3), dtype=np.int64)
    mask[:6] = 1
    path = save_trigger(tmp_path / "inverted.npz", t=mask * 90.0, tm=mask)
    trigger = Trigger.load(path)
    assert any("inverted" in said for said in trigger.warnings)
    stamped = trigger.apply(np.full((8, 8, 3), 200, dtype=np.uint8))
    assert (stamped[:6] == 90).all()
    assert (stamped[6:] == 200).all()


def test_s9_the_array_that_was_checked_is_the_one_that_is_stamped(tmp_path: Path) -> None:
    mask = np.ones((8, 8, 3), dtype=np.int64)
    mask[2:6, 2:6] = 0
    path = save_trigger(tmp_path / "twice.npz", t=(1 - mask) * 255.0, tm=mask)
    other = io.BytesIO()
    np.save(other, np.zeros((8, 8, 3)))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("t", other.getvalue())
    stamped = Trigger.load(path).apply(np.full((8, 8, 3), 10, dtype=np.uint8))
    assert (stamped[2:6, 2:6] == 255).all()
