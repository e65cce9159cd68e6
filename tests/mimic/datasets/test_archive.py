"""Zips of folders (S11): read in memory, refused whole for one harmful member."""

from __future__ import annotations

import stat
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mimic.datasets import load_images
from mimic.errors import DataError
from tests.mimic.datasets.pictures_on_disk import png, two_classes, write_tree


def write_zip(path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> str:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return str(path)


def write_members(path: Path, members: list[tuple[zipfile.ZipInfo, bytes]]) -> str:
    with zipfile.ZipFile(path, "w") as archive:
        for info, content in members:
            archive.writestr(info, content)
    return str(path)


@pytest.mark.parametrize("wrapper", ["", "zoo/"])
def test_a_zip_of_a_folder_gives_what_the_folder_gives(tmp_path: Path, wrapper: str) -> None:
    files = two_classes()
    folder = write_tree(tmp_path / "zoo", files)
    packed = write_zip(tmp_path / "zoo.zip", {wrapper + n: c for n, c in files.items()})
    for split in ("train", "test"):
        one, other = (load_images(p, split, image_size=8) for p in (str(folder), packed))
        assert one.sha256() == other.sha256()
        assert one.class_names == other.class_names == ("ant", "bee")
        assert one.name == other.name == "zoo"


def test_a_zip_of_one_flat_folder_is_unlabelled(tmp_path: Path) -> None:
    files = {f"holiday/{i}.png": png(seed=i) for i in range(10)}
    files |= {"__MACOSX/holiday/._0.png": b"x", "holiday/.hidden.png": b"x", "holiday/a.txt": b"x"}
    del files["__MACOSX/holiday/._0.png"]
    data = load_images(write_zip(tmp_path / "a.zip", files), "train", image_size=8)
    assert data.labels is None
    assert len(data) == 8


def test_a_zip_is_known_by_its_bytes_not_its_name(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "pictures.npz", two_classes())
    assert load_images(path, "train", image_size=8).classes == 2


def test_s11_nothing_is_unpacked_and_nothing_left_behind(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", two_classes())
    before = sorted(tmp_path.rglob("*"))
    load_images(path, "train", image_size=8)
    assert sorted(tmp_path.rglob("*")) == before


HARMFUL_NAMES = {
    "absolute": "/etc/a.png",
    "parent": "../a.png",
    "hidden-parent": "x/../../a.png",
    "drive": "C:a.png",
    "backslash": "x\\a.png",
    "case-folded-twice": "ANT/00.PNG",
    "sharp-s-twice": "anT/00.png",
    "dot-twice": "./ant//00.png",
}


@pytest.mark.parametrize("kind", HARMFUL_NAMES)
def test_s11_an_archive_is_refused_whole_for_one_harmful_name(tmp_path: Path, kind: str) -> None:
    path = write_zip(tmp_path / "a.zip", {**two_classes(), HARMFUL_NAMES[kind]: png()})
    with pytest.raises(DataError, match="the member"):
        load_images(path, "train", image_size=8)
    assert not (tmp_path.parent / "a.png").exists()


def test_s11_names_equal_once_accents_are_composed_are_duplicates(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"x/caf\u00e9.png": png(1), "x/cafe\u0301.png": png(2)})
    with pytest.raises(DataError, match="is there twice"):
        load_images(path, "train", image_size=8)


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO])
def test_s11_links_and_devices_are_refused(tmp_path: Path, kind: int) -> None:
    member = zipfile.ZipInfo("a.png")
    member.external_attr = (kind | 0o644) << 16
    path = write_members(tmp_path / "a.zip", [(member, b"/etc/passwd")])
    with pytest.raises(DataError, match="is a link or a device"):
        load_images(path, "train")


def patched(path: Path, *, flag: int | None = None, size: int | None = None) -> None:
    """Change flags or the declared size of the first member in both of its headers."""
    content = bytearray(path.read_bytes())
    for signature, flags_at, size_at in ((b"PK\x03\x04", 6, 22), (b"PK\x01\x02", 8, 24)):
        start = content.index(signature)
        if flag is not None:
            struct.pack_into("<H", content, start + flags_at, flag)
        if size is not None:
            struct.pack_into("<I", content, start + size_at, size)
    path.write_bytes(bytes(content))


@pytest.mark.parametrize("flag", [0x1, 0x40, 0x41])
def test_s11_an_encrypted_member_is_refused(tmp_path: Path, flag: int) -> None:
    path = Path(write_zip(tmp_path / "a.zip", {"a.png": png()}))
    patched(path, flag=flag)
    with pytest.raises(DataError, match="is encrypted"):
        load_images(str(path), "train")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_s11_unusual_packing_is_refused(tmp_path: Path, method: int) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.png": png()}, method)
    with pytest.raises(DataError, match="unusual method"):
        load_images(path, "train")


def test_s11_a_bomb_is_refused_by_its_ratio_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.bmp": bytes(50 * 2**20)})
    assert Path(path).stat().st_size < 100_000
    monkeypatch.setattr("zipfile.ZipFile.open", lambda *_: pytest.fail("it was read"))
    with pytest.raises(DataError, match="100 times its size"):
        load_images(path, "train")


def test_s11_too_many_members_and_too_much_in_all_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = write_zip(tmp_path / "many.zip", {f"{i}.png": b"" for i in range(20_001)})
    with pytest.raises(DataError, match="20001 members"):
        load_images(many, "train")
    monkeypatch.setattr("mimic.datasets.limits.MAX_ARRAY_BYTES", 2_000)
    large = write_zip(tmp_path / "large.zip", two_classes(), zipfile.ZIP_STORED)
    with pytest.raises(DataError, match="unpacks to"):
        load_images(large, "train")


@pytest.mark.parametrize("declared", [10, 10**6])
def test_s11_a_member_of_another_size_than_declared_is_no_image(
    tmp_path: Path, declared: int
) -> None:
    path = Path(write_zip(tmp_path / "a.zip", {"a.png": png(seed=1)}))
    patched(path, size=declared)
    with pytest.raises(DataError, match=r"'a\.png' (is damaged|has another size)|100 times"):
        load_images(str(path), "train")


def test_s11_overlapping_members_are_refused(tmp_path: Path) -> None:
    path = Path(write_zip(tmp_path / "a.zip", {"a.png": png(seed=1), "b.png": png(seed=2)}))
    content = bytearray(path.read_bytes())
    first = content.index(b"PK\x01\x02")
    second = content.index(b"PK\x01\x02", first + 4)
    (packed,) = struct.unpack_from("<I", content, second + 20)
    struct.pack_into("<I", content, first + 20, packed * 20)
    path.write_bytes(bytes(content))
    with pytest.raises(DataError, match="overlap"):
        load_images(str(path), "train")


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_s11_a_damaged_archive_is_read_whole_or_refused(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    path = Path(write_zip(folder / "a.zip", {f"{i}.png": png(seed=i, side=6) for i in range(5)}))
    whole = load_images(str(path), "train", image_size=8)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(content) - 1))
        content[position] ^= data.draw(st.integers(1, 255))
    path.write_bytes(bytes(content[: data.draw(st.integers(1, len(content)))]))
    try:
        found = load_images(str(path), "train", image_size=8)
    except DataError:
        return
    known = {image.tobytes() for image in whole.images}
    held_out = load_images_of_all(folder)
    assert {image.tobytes() for image in found.images} <= known | held_out


def load_images_of_all(folder: Path) -> set[bytes]:
    """The images of the undamaged archive's test half."""
    path = write_zip(folder / "b.zip", {f"{i}.png": png(seed=i, side=6) for i in range(5)})
    return {np.asarray(i).tobytes() for i in load_images(path, "test", image_size=8).images}
