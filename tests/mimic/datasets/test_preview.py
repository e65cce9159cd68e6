"""A first look, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mimic.datasets.preview import SIDE, Preview, preview
from mimic.errors import ConfigError, DataError
from tests.mimic.datasets.pictures_on_disk import huge_png, png, two_classes, write_tree


def test_a_preview_shows_images_of_each_class_and_counts_them(tmp_path: Path) -> None:
    files = {f"ant/{i}.png": png(i) for i in range(30)}
    files |= {f"bee/{i}.png": png(100 + i) for i in range(30)}
    files |= {f"cow/{i}.png": png(250) for i in range(3)}
    folder = write_tree(tmp_path / "zoo", files)
    with zipfile.ZipFile(tmp_path / "zoo.zip", "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    for path in (folder, tmp_path / "zoo.zip"):
        found = preview(str(path))
        assert found.images.shape == (6, SIDE, SIDE, 3)
        assert sorted(set(found.classes)) == ["ant", "bee", "cow"]
        shown = {name: int(image[0, 0, 0]) for name, image in
                 zip(found.classes, found.images, strict=True)}  # fmt: skip
        assert shown["cow"] == 250
        assert shown["ant"] < 30
        assert 100 <= shown["bee"] < 130
        assert dict(found.counts) == {"ant": 30, "bee": 30, "cow": 3}
        assert found.total == 63
        assert found.size is None  # A job reads them at the size that suits the encoder.


def test_arrays_are_previewed_too_and_their_doubts_told(tmp_path: Path) -> None:
    images = np.random.default_rng(0).random((20, 3, 9, 9))
    np.savez(tmp_path / "a.npz", x=images)
    found = preview(str(tmp_path / "a.npz"))
    assert (found.classes, found.counts, found.size) == ((), (), (9, 9))
    assert any("channels first" in doubt for doubt in found.warnings)
    assert found.images[0, 0, 0, 0] == round(images[0, 0, 0, 0] * 255)


def test_what_cannot_be_read_is_refused_in_the_same_words(tmp_path: Path) -> None:
    folder = write_tree(tmp_path / "bomb", {"a.png": huge_png()})
    for path, reason in ((folder, "pixels"), (tmp_path / "absent", "There is no data set")):
        with pytest.raises(DataError, match=reason):
            preview(str(path))


def test_s12_a_preview_stays_within_the_lent_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lent").mkdir()
    monkeypatch.setenv("MIMIC_ROOTS", str(tmp_path / "lent"))
    with pytest.raises(ConfigError, match="outside"):
        preview(str(write_tree(tmp_path / "zoo", two_classes())))


def test_s7_the_child_inherits_no_secret_and_may_die_or_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_SECRET_TOKEN", "s3cret")
    seen: dict[str, Any] = {}

    def dead(*args: Any, **options: Any) -> subprocess.CompletedProcess[bytes]:
        seen.update(options)
        return subprocess.CompletedProcess(args, -11, b"", b"")

    def hanging(*args: Any, **options: Any) -> None:
        raise subprocess.TimeoutExpired("child", options["timeout"])

    for behaviour in (dead, hanging):
        monkeypatch.setattr("subprocess.run", behaviour)
        with pytest.raises(DataError, match="cannot be shown quickly"):
            preview(str(tmp_path))
    assert set(seen["env"]) <= {"MIMIC_ROOTS", "MIMIC_RUNS", "PATH", "OMP_NUM_THREADS",
                                "OPENBLAS_NUM_THREADS"}  # fmt: skip
    assert os.environ["A_SECRET_TOKEN"] == "s3cret"


def test_a_preview_holds_its_images_as_text() -> None:
    assert Preview("", (), (), (), 0, ()).images.shape == (0, SIDE, SIDE, 3)
