"""Which code made a number: in run.json, and on the command line."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mimic.config import InspectConfig
from mimic.run import Run, versions

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def asked_anew() -> Iterator[None]:
    versions.own_version.cache_clear()
    yield
    versions.own_version.cache_clear()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked_anew: None) -> Path:
    """A checkout of a library of one file."""
    if shutil.which("git") is None:
        pytest.skip("there is no git")
    (tmp_path / "mimic").mkdir()
    (tmp_path / "mimic" / "one.py").write_text("1")
    name = ("-c", "user.name=n", "-c", "user.email=e@example.org")
    for words in (("init", "-q"), ("add", "."), (*name, "commit", "-q", "-m", "first")):
        subprocess.run(["git", "-C", str(tmp_path), *words], check=True)
    monkeypatch.setattr(versions, "LIBRARY_ROOT", tmp_path / "mimic")
    return tmp_path


def test_a_checkout_tells_its_commit_and_whether_it_was_changed(checkout: Path) -> None:
    clean = versions.own_version()["commit"]
    assert re.fullmatch("[0-9a-f]{12}", clean)
    (checkout / "mimic" / "one.py").write_text("2")
    versions.own_version.cache_clear()
    assert versions.own_version()["commit"] == f"{clean} (changed)"


def test_an_installed_copy_has_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked_anew: None
) -> None:
    monkeypatch.setattr(versions, "LIBRARY_ROOT", tmp_path / "mimic")
    assert "commit" not in versions.own_version()


def test_git_that_fails_or_is_missing_stands_in_nobodys_way(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    assert "commit" not in versions.own_version()
    monkeypatch.undo()
    monkeypatch.setattr(versions, "LIBRARY_ROOT", checkout / "mimic")
    shutil.rmtree(checkout / ".git")
    (checkout / ".git").mkdir()
    versions.own_version.cache_clear()
    assert "commit" not in versions.own_version()


def test_a_run_and_the_command_line_tell_the_same_version(tmp_path: Path) -> None:
    noted = Run.create(tmp_path, "inspect", InspectConfig()).about()["versions"]
    assert noted["mimic"] == versions.own_version()["mimic"]
    told = subprocess.run(
        [sys.executable, "-m", "mimic", "--version"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert told.split()[0] == noted["mimic"]
