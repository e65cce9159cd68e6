"""Typed paths (S12)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mimic.config import InspectConfig, resolve_path
from mimic.errors import ConfigError, DataError, MimicError
from mimic.paths import ASSETS, open_regular
from tests.conftest import TRIGGER, SubjectFiles


def test_without_roots_any_path_may_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MIMIC_ROOTS", raising=False)
    assert resolve_path(str(tmp_path / "x")) == tmp_path / "x"
    assert str(resolve_path("some/file.pth")) == "some/file.pth"


@pytest.fixture
def lent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "lent"
    folder.mkdir()
    (tmp_path / "also").mkdir()
    (tmp_path / "secret.pth").write_text("s")
    monkeypatch.setenv("MIMIC_ROOTS", os.pathsep.join([str(folder), "", str(tmp_path / "also")]))
    monkeypatch.setenv("MIMIC_RUNS", str(tmp_path / "runs"))
    return folder


def test_s12_paths_below_a_lent_folder_are_resolved(lent: Path) -> None:
    (lent / "inner").symlink_to(lent.parent / "also")
    for text in ("a.pth", "deep/a.pth", "inner/a.pth", "x/../a.pth"):
        assert resolve_path(str(lent / text)) == (lent / text).resolve()
    for folder in ("also", "runs/uploads"):
        assert resolve_path(str(lent.parent / folder / "a.pth")).name == "a.pth"
    assert resolve_path(str(ASSETS / "demo")) == ASSETS / "demo"
    assert resolve_path("asset:demo/teacher.pth").is_file()


@pytest.mark.parametrize(
    "text", ["../secret.pth", "x/../../secret.pth", "link.pth", "../lent-not/a.pth", "/etc/passwd"]
)
def test_s12_paths_outside_are_refused_without_telling_where_they_lead(
    lent: Path, text: str
) -> None:
    (lent / "link.pth").symlink_to(lent.parent / "secret.pth")
    with pytest.raises(ConfigError, match="outside the folders") as caught:
        resolve_path(str(lent / text))
    assert str(lent.parent) not in str(caught.value)


@pytest.mark.parametrize("text", ["asset:../pyproject.toml", "asset:/etc/passwd", "asset:a\0"])
def test_s12_assets_are_no_way_out(text: str) -> None:
    with pytest.raises(ConfigError, match="no asset"):
        resolve_path(text)


@pytest.mark.parametrize("text", ["a\0b", "~nobody-of-this-name/a"])
def test_s12_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="no path"):
        resolve_path(text)


@pytest.mark.parametrize("kind", ["missing", "folder", "pipe", "device", "pipe-behind-a-link"])
def test_s12_only_regular_files_are_opened_and_none_is_waited_for(
    tmp_path: Path, kind: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    path = {
        "missing": tmp_path / "x", "folder": tmp_path, "pipe": tmp_path / "pipe",
        "device": Path("/dev/zero"), "pipe-behind-a-link": tmp_path / "link",
    }[kind]  # fmt: skip
    with pytest.raises(DataError, match=r"cannot be opened|not a regular file"):
        open_regular(path, DataError)


def test_a_regular_file_is_opened_for_reading(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    with open_regular(tmp_path / "a", DataError) as file:
        assert file.read() == b"abc"


@pytest.mark.parametrize("name", ["encoder", "data", "trigger"])
def test_s12_a_link_to_itself_is_refused_in_two_plain_sentences(
    tmp_path: Path, subject_files: SubjectFiles, name: str
) -> None:
    from mimic.verbs import perform

    (tmp_path / "loop.npz").symlink_to("loop.npz")
    given = {
        "encoder": str(subject_files.encoder),
        "data": str(subject_files.data),
        "trigger": TRIGGER,
        name: str(tmp_path / "loop.npz"),
    }
    config = InspectConfig(**given, probe_images=20, test_images=20, device="cpu")  # type: ignore[arg-type]
    with pytest.raises(MimicError, match=r"There is no .*'loop\.npz'"):
        perform("inspect", config, root=tmp_path / "runs")
