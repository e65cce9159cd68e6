"""Arrays (S10): sizes checked before reading; names, halves, odd labels."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from mimic.datasets import load_images, load_npz
from mimic.errors import DataError

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 255, (40, 8, 8, 3)).astype(np.uint8)
LABELS = np.arange(40) % 4


def write(path: Path, **arrays: np.ndarray) -> Path:
    np.savez(path, allow_pickle=True, **arrays)
    return path


def lying(path: Path, shape: tuple[int, ...], content: bytes, dtype: str = "|u1") -> str:
    """An ``.npz`` whose x declares a shape of its own choice."""
    header = io.BytesIO()
    described = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, described)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.npy", header.getvalue() + content)
    return str(path)


@pytest.mark.parametrize(
    "shape", [(2**40,), (2**31, 2**31, 2**31, 3), (5, 8, 8, 3), (3, 8, 8, 3), (0,), (-4, 8, 8, 3)]
)
def test_s10_an_npz_that_lies_about_its_size_is_refused(
    tmp_path: Path, shape: tuple[int, ...]
) -> None:
    path = lying(tmp_path / "a.npz", shape, IMAGES[:4].tobytes())
    with pytest.raises(DataError, match=r"declares more or fewer|cannot be read"):
        load_images(path, "train")
    good = lying(tmp_path / "b.npz", (4, 8, 8, 3), IMAGES[:4].tobytes())
    assert len(load_npz(Path(good))) == 4


def test_s10_declared_bytes_are_checked_before_any_array_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = lying(tmp_path / "a.npz", (2**33,), b"x", "<f8")
    monkeypatch.setattr("numpy.lib.format.read_array", lambda *_, **__: pytest.fail("read"))
    with pytest.raises(DataError, match="declares more or fewer"):
        load_npz(Path(path))


@pytest.mark.parametrize("dtype", ["|O", "|V8", "<M8[s]", "<c16", "|S3"])
def test_s10_only_numbers_and_text_are_read(tmp_path: Path, dtype: str) -> None:
    path = lying(tmp_path / "a.npz", (4,), bytes(64), dtype)
    with pytest.raises(DataError, match=r"holds an array of|cannot be read"):
        load_npz(Path(path))


def test_s10_an_array_named_twice_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "a.npz", x=IMAGES)
    with (
        zipfile.ZipFile(path, "a") as archive,
        pytest.warns(UserWarning, match="Duplicate name"),
    ):
        archive.writestr("x.npy", b"x")
    with pytest.raises(DataError, match="names an array twice"):
        load_npz(path)


def test_arrays_that_are_never_read_are_never_opened(tmp_path: Path) -> None:
    path = write(tmp_path / "a.npz", x=IMAGES, y=LABELS, info=np.array({"a": 1}, dtype=object))
    assert len(load_npz(path)) == 40


@pytest.mark.parametrize(
    "keys", [("x_{}", "y_{}"), ("{}_images", "{}_labels")], ids=["keras", "medmnist"]
)
def test_both_halves_may_lie_in_one_file(tmp_path: Path, keys: tuple[str, str]) -> None:
    parts = {"train": slice(0, 30), "test": slice(30, 40)}
    arrays = {
        key.format(split): values[part]
        for split, part in parts.items()
        for key, values in zip(keys, (IMAGES, LABELS), strict=True)
    }
    path = write(tmp_path / "a.npz", **arrays)
    for split, part in parts.items():
        data = load_images(str(path), split)  # type: ignore[arg-type]
        np.testing.assert_array_equal(data.images, IMAGES[part])
        np.testing.assert_array_equal(data.labels, LABELS[part])


@pytest.mark.parametrize("ending", [".npz", "_224.npz"])
def test_a_half_beside_its_other_half_keeps_the_split(tmp_path: Path, ending: str) -> None:
    write(tmp_path / f"train{ending}", x=IMAGES[:30], y=LABELS[:30])
    write(tmp_path / f"test{ending}", x=IMAGES[30:], y=LABELS[30:])
    for text in (tmp_path, tmp_path / f"train{ending}", tmp_path / f"test{ending}"):
        assert len(load_images(str(text), "train")) == 30
        np.testing.assert_array_equal(load_images(str(text), "test").images, IMAGES[30:])


def test_labels_may_be_names(tmp_path: Path) -> None:
    names = np.array(["bee", "ant", "cat", "dog"])[LABELS]
    data = load_npz(write(tmp_path / "a.npz", x=IMAGES, y=names))
    assert data.class_names == ("ant", "bee", "cat", "dog")
    assert data.class_name(int(data.need_classes()[0])) == "bee"


def test_s9_labels_that_had_to_be_changed_are_told(tmp_path: Path) -> None:
    floats = load_npz(write(tmp_path / "a.npz", x=IMAGES, y=LABELS.astype(np.float32)))
    np.testing.assert_array_equal(floats.labels, LABELS)
    assert "stored as floats" in floats.warnings[0]
    unknown = load_npz(write(tmp_path / "b.npz", x=IMAGES, y=np.full(40, -1)))
    assert unknown.labels is None
    assert "counts as unlabelled" in unknown.warnings[0]


def test_s10_labels_whose_numbers_are_no_characters_are_refused(tmp_path: Path) -> None:
    labels = np.array(["ab", "cd"] * 5, dtype="<U4")
    labels.view("<u4")[::8] = 0x110000
    path = write(tmp_path / "d.npz", x=np.full((10, 8, 8, 3), 9, np.uint8), y=labels)
    with pytest.raises(DataError, match="no text"):
        load_npz(path)
    write(path, x=np.full((10, 8, 8, 3), 9, np.uint8), y=np.array(["é", "\U0010ffff"] * 5, ">U1"))
    assert load_npz(path).classes == 2


@pytest.mark.parametrize("shape", [(40, 0, 16, 3), (40, 16, 0, 3), (0, 16, 16, 3)])
def test_s10_images_without_pixels_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = write(tmp_path / "d.npz", x=np.zeros(shape, np.uint8))
    with pytest.raises(DataError, match="no image"):
        load_npz(path)
