"""S16: the runs folder has a limit, and what is refused leaves nothing behind."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mimic import cli, job, workspace
from mimic.config import InspectConfig
from mimic.errors import ConfigError, CutShortError, EncoderError, MimicError, StorageError
from mimic.run import Run
from ui import uploads

Limit = Callable[[int], None]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "runs"
    folder.mkdir()
    monkeypatch.setenv("MIMIC_RUNS", str(folder))
    monkeypatch.delenv("MIMIC_QUOTA_GB", raising=False)
    return folder


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Limit:
    """Sets the quota, in bytes."""
    return lambda byte_count: monkeypatch.setenv("MIMIC_QUOTA_GB", str(byte_count / workspace.GIB))


def upload(root: Path, name: str, *, age: float = 0.0) -> Path:
    folder = root / "uploads"
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes(b"not an encoder")
    os.utime(path, (time.time() - age,) * 2)
    return path


def test_s16_the_default_is_20_gib_and_a_variable_changes_it(root: Path, limit: Limit) -> None:
    assert workspace.quota() == 20 * 2**30
    limit(3 * 2**30)
    assert workspace.quota() == 3 * 2**30


@pytest.mark.parametrize("said", ["much", "-1", "0", "nan", "inf"])
def test_s16_a_quota_that_is_no_size_is_refused(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIMIC_QUOTA_GB", said)
    with pytest.raises(ConfigError, match="MIMIC_QUOTA_GB"):
        workspace.quota()


def test_s16_size_counts_files_at_any_depth_and_follows_no_link(root: Path, tmp_path: Path) -> None:
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "b" / "c").write_bytes(b"x" * 1000)
    (root / "d").write_bytes(b"x" * 10)
    (tmp_path / "outside").write_bytes(b"x" * 5000)
    (root / "link").symlink_to(tmp_path / "outside")
    (root / "loop").symlink_to(root, target_is_directory=True)
    assert workspace.size(root) == 1010
    assert workspace.size(root / "missing") == 0


def test_s16_no_job_starts_in_a_full_folder(
    root: Path, limit: Limit, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    started: list[Run] = []
    monkeypatch.setattr("mimic.job.spawn", started.append)
    limit(workspace.JOB_ROOM + 100)
    assert job.start("inspect", InspectConfig(subject="demo")) == started[0]
    (root / "big").write_bytes(b"x" * 200)
    before = sorted(root.rglob("*"))
    with pytest.raises(StorageError, match="may hold") as refused:
        job.start("inspect", InspectConfig(subject="demo"))
    assert "--delete" in refused.value.remedy
    assert len(started) == 1
    assert cli.main(["inspect", "--subject", "demo", "--root", str(root)]) == 1
    assert "MIMIC_QUOTA_GB" in capsys.readouterr().err
    assert sorted(root.rglob("*")) == before


def test_s16_no_upload_exceeds_the_quota(root: Path, limit: Limit) -> None:
    limit(1000)
    uploads.store(b"x" * 900, "a.pth", uploads.ENCODER_SUFFIXES)
    with pytest.raises(StorageError, match="may hold"):
        uploads.store(b"x" * 200, "b.pth", uploads.ENCODER_SUFFIXES)
    assert len(list((root / "uploads").iterdir())) == 1


def test_s16_half_an_upload_is_removed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(path: Path, content: bytes) -> int:
        with path.open("wb") as file:
            file.write(content[:3])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    with pytest.raises(StorageError, match="disk is full"):
        uploads.store(b"content", "a.pth", uploads.ENCODER_SUFFIXES)
    assert not list((root / "uploads").iterdir())


def test_s16_tidying_keeps_what_a_run_names_and_what_is_new(root: Path) -> None:
    day = 86_400.0
    kept = upload(root, "named.pth", age=9 * day)
    Run.create(root, "inspect", InspectConfig(encoder=str(kept)))
    young, old = upload(root, "young.pth"), upload(root, "old.pth", age=2 * day)
    assert workspace.tidy(root) == [old.resolve()]
    assert kept.is_file()
    assert young.is_file()
    assert workspace.tidy(root / "nowhere") == []


def test_s16_the_command_line_tidies(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    upload(root, "old.pth", age=7_200)
    upload(root, "new.pth")
    assert cli.main(["runs", "--tidy", "--json", "--root", str(root)]) == 0
    assert '"deleted_uploads": 1' in capsys.readouterr().out
    assert [p.name for p in (root / "uploads").iterdir()] == ["new.pth"]


def test_s16_tidying_touches_nothing_outside_the_uploads(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "mine.pth"
    outside.write_bytes(b"x")
    upload(root, "x.pth")
    (root / "uploads" / "link.pth").symlink_to(outside)
    workspace.tidy(root, older_than=-1)
    assert outside.is_file()
    assert not list((root / "uploads").iterdir())


def test_s16_a_refused_upload_is_deleted_unless_another_run_names_it(root: Path) -> None:
    refused, shared, outside = (
        upload(root, "a.pth"), upload(root, "b.pth"), root.parent / "typed.pth",
    )  # fmt: skip
    outside.write_bytes(b"x")
    Run.create(root, "inspect", InspectConfig(encoder=str(shared)), run_id="other")
    run = Run.create(root, "inspect", InspectConfig(encoder=str(refused)), run_id="this")
    for path in (refused, shared, outside):
        with pytest.raises(EncoderError), workspace.refusals_leave_nothing(run, path):
            raise EncoderError("It holds code.", "Choose another.")
    assert not refused.exists()
    assert shared.exists()
    assert outside.exists()


def test_s16_a_failure_that_is_not_the_files_fault_deletes_nothing(root: Path) -> None:
    path = upload(root, "a.pth")
    run = Run.create(root, "inspect", InspectConfig(encoder=str(path)))
    with pytest.raises(CutShortError), workspace.refusals_leave_nothing(run, path):
        raise CutShortError("Reading took long.", "Try again.")
    assert path.is_file()
    with pytest.raises(StorageError), workspace.refusals_leave_nothing(run, path):
        raise StorageError("The disk is full.", "Free some space.")
    assert path.exists()


def test_s16_inspecting_a_refused_upload_leaves_no_file(root: Path) -> None:
    from mimic.verbs import execute

    path = upload(root, "a.pth")
    data = upload(root, "data.npz")
    np.savez(data, x=np.zeros((4, 16, 16, 3), np.uint8))
    config = InspectConfig(encoder=str(path), data=str(data), device="cpu")
    run = Run.create(root, "inspect", config)
    with pytest.raises(MimicError):
        execute(run)
    assert run.status().state == "failed"
    assert not path.exists()
    assert data.exists()
