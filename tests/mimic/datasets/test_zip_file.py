"""S10 and S11: a list of members is bounded before any of it is parsed."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from mimic.datasets import load_images
from mimic.datasets.zip_file import open_zip
from mimic.errors import DataError, MimicError, TriggerError
from mimic.trigger import Trigger
from tests.mimic.datasets.pictures_on_disk import png


def long_list(path: Path, count: int) -> Path:
    """An archive of 100 bytes whose list names ``count`` members, after APPNOTE.TXT 4.3.12."""
    member = struct.pack("<4s4B4HL2L5H2L", b"PK\x01\x02", 20, 0, 20, *[0] * 8, 6, *[0] * 6)
    listed = b"".join(member + b"%06x" % index for index in range(count))
    ends = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(listed), 30, 0)
    path.write_bytes(b"PK\x03\x04" + b"\0" * 26 + listed + ends)
    return path


def test_s11_a_long_list_of_members_is_refused_before_it_is_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_zip, "__defaults__", (64 * 2**10,))
    path = long_list(tmp_path / "long.zip", 5000)
    with zipfile.ZipFile(path) as archive:
        assert len(archive.infolist()) == 5000, "the list itself is well-formed"

    def parsed(*_: object) -> None:
        raise AssertionError("a member was parsed")

    monkeypatch.setattr(zipfile, "ZipInfo", parsed)
    with pytest.raises(DataError, match="list of members is longer"):
        load_images(str(path), "train")
    with pytest.raises(TriggerError):
        Trigger.load(path)
    with path.open("rb") as file, pytest.raises(MimicError):
        open_zip(file, 100)


def test_members_longer_than_the_list_are_read_whole(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("big", b"x" * 5000)
    with (tmp_path / "a.zip").open("rb") as file, open_zip(file, 200) as archive:
        assert archive.read("big") == b"x" * 5000


def test_s10_class_numbers_far_beyond_the_images_are_refused(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 255, (40, 8, 8, 3)).astype(np.uint8)
    for highest, fine in ((9_999, True), (10_000, False), (100_000, False)):
        labels = np.where(np.arange(40) % 2, highest, 0)
        np.savez(tmp_path / "d.npz", x=images, y=labels)
        if fine:
            assert load_images(str(tmp_path / "d.npz"), "train").classes == highest + 1
        else:
            with pytest.raises(DataError, match=f"classes up to {highest} with 32 images"):
                load_images(str(tmp_path / "d.npz"), "train")
    lines = "\n".join(f"{i}.png,{100_000 * (i % 2)}" for i in range(40))
    for i in range(40):
        (tmp_path / f"{i}.png").write_bytes(png(seed=i))
    (tmp_path / "list.csv").write_text(lines)
    with pytest.raises(DataError, match="numbers its classes up to"):
        load_images(str(tmp_path / "list.csv"), "train", image_size=12)


def test_s13_class_names_of_arrays_are_printable_and_short(tmp_path: Path) -> None:
    names = np.array(["\x1b[31mred", "b" * 5000])[np.arange(40) % 2]
    images = np.random.default_rng(0).integers(0, 255, (40, 8, 8, 3)).astype(np.uint8)
    np.savez(tmp_path / "d.npz", x=images, y=names)
    found = load_images(str(tmp_path / "d.npz"), "train").class_names
    assert found == ("?[31mred", "b" * 57 + "...")
