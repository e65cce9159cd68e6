import errno
import json
import math
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from mimic.config import ASSETS, DistillConfig, InspectConfig
from mimic.errors import MimicError, RunError, StorageError
from mimic.run import Progress, Run, Status, find_run, is_bundled, list_runs, note_input, portable


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.create(tmp_path / "runs", "distill", DistillConfig(epochs=3), run_id="mine")


def names(run: Run) -> set[str]:
    return {path.name for path in run.directory.iterdir()}


def dead_process() -> tuple[int, float]:
    process = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
    created = psutil.Process(process.pid).create_time()
    process.communicate()
    return process.pid, created


def working(**changes: object) -> Status:
    process = psutil.Process()
    mine = Status(state="running", pid=process.pid, pid_created=process.create_time())
    return replace(mine, **changes)  # type: ignore[arg-type]


def test_a_new_run_tells_what_it_will_do(run: Run) -> None:
    about = json.loads((run.directory / "run.json").read_text())
    assert about["kind"] == run.kind == "distill"
    assert about["id"] == run.id == "mine"
    assert set(about) == {"id", "kind", "created", "config", "inputs", "versions"}
    assert abs(about["created"] - time.time()) < 30
    assert {"python", "torch", "numpy"} <= set(about["versions"])
    assert run.config() == DistillConfig(epochs=3)
    assert run.status().state == "starting"
    assert run.result() is None
    assert run.metrics() == []
    assert run.arrays("examples") is None


def test_runs_made_at_once_get_ids_of_their_own(tmp_path: Path) -> None:
    ids = {Run.create(tmp_path, "inspect", InspectConfig()).id for _ in range(8)}
    assert len(ids) == 8
    assert {find_run(i, tmp_path).id for i in ids} == ids


def test_json_and_arrays_come_back_as_written_and_nan_as_null(run: Run) -> None:
    value = {"a": [1, math.nan, {"b": math.inf}], "c": np.float32(2.5), "d": np.int64(3), 4: "e"}
    run.write_json("result.json", value)
    assert "NaN" not in (run.directory / "result.json").read_text()
    assert run.result() == {"a": [1, None, {"b": None}], "c": 2.5, "d": 3, "4": "e"}
    run.write_arrays("points", x=np.arange(6).reshape(2, 3), y=np.ones(2, np.float32))
    arrays = run.arrays("points")
    assert arrays is not None
    np.testing.assert_array_equal(arrays["x"], [[0, 1, 2], [3, 4, 5]])
    assert arrays["y"].dtype == np.float32


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS])
def test_a_failing_write_leaves_the_old_file_and_nothing_else(run: Run, code: int) -> None:
    run.write_json("result.json", {"old": True})
    before = names(run)

    def fail(path: Path) -> None:
        path.write_text('{"half": ')
        raise OSError(code, os.strerror(code))

    with pytest.raises(StorageError) as caught:
        run.write_file("result.json", fail)
    full = code in (errno.ENOSPC, errno.EDQUOT)
    assert ("The disk is full." in caught.value.cause) == full
    assert run.result() == {"old": True}
    assert names(run) == before


def test_a_crash_while_writing_leaves_the_old_file_and_nothing_else(run: Run) -> None:
    run.write_json("result.json", {"old": True})
    before = names(run)

    def crash(path: Path) -> None:
        path.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run.write_file("result.json", crash)
    assert run.result() == {"old": True}
    assert names(run) == before


def test_a_file_is_complete_on_disk_before_it_takes_its_place(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []
    fsync, rename = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (events.append("sync"), fsync(fd))[1])
    monkeypatch.setattr(
        Path, "replace", lambda self, to: (events.append(f"place {to.name}"), rename(self, to))[1]
    )
    run.write_json("result.json", {"a": 1})
    assert events == ["sync", "place result.json", "sync"]  # The folder's entry comes last.


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's always-full device")
def test_a_full_disk_while_recording_is_told_as_such(run: Run) -> None:
    (run.directory / "metrics.jsonl").symlink_to("/dev/full")
    with pytest.raises(StorageError, match="The disk is full"):
        run.record({"epoch": 1})


def test_a_root_that_is_a_file_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("not a folder")
    with pytest.raises(StorageError, match="cannot be written"):
        Run.create(tmp_path / "runs", "distill", DistillConfig())


def test_metrics_leave_an_unfinished_last_line_out(run: Run) -> None:
    run.record({"epoch": 1, "loss": math.nan})
    run.record({"epoch": 2, "loss": 0.5})
    with (run.directory / "metrics.jsonl").open("a") as file:
        file.write('{"epoch": 3, "loss"')
    assert run.metrics() == [{"epoch": 1, "loss": None}, {"epoch": 2, "loss": 0.5}]


def test_metrics_survive_a_damaged_line(run: Run) -> None:
    (run.directory / "metrics.jsonl").write_text('{"epoch": 1}\n{"epo\n{"epoch": 3}\n')
    assert [m["epoch"] for m in run.metrics()] == [1, 3]


def test_a_record_after_an_unfinished_line_is_not_lost(run: Run) -> None:
    run.record({"epoch": 1})
    with (run.directory / "metrics.jsonl").open("a") as file:
        file.write('{"epoch": 2, "lo')
    run.keep_metrics(lambda metric: metric["epoch"] <= 2)
    run.record({"epoch": 2})
    assert [m["epoch"] for m in run.metrics()] == [1, 2]


def test_metrics_after_a_checkpoint_are_dropped(run: Run) -> None:
    for epoch in range(5):
        run.record({"epoch": epoch})
    run.keep_metrics(lambda metric: metric["epoch"] <= 2)
    assert [m["epoch"] for m in run.metrics()] == [0, 1, 2]


def test_a_run_whose_process_is_gone_reads_as_interrupted(run: Run) -> None:
    run.write_status(working())
    assert run.status().state == "running"
    pid, created = dead_process()
    for state in ("running", "queued", "stopping"):
        run.write_status(Status(state=state, pid=pid, pid_created=created, seconds_left=3.0))
        assert run.status().state == "interrupted"
        assert not run.status().is_active
        assert run.status().seconds_left is None
    for state in ("finished", "failed", "stopped"):
        run.write_status(Status(state=state, pid=pid, pid_created=created))
        assert run.status().state == state


def test_another_process_with_the_same_number_is_not_taken_for_the_runs(run: Run) -> None:
    run.write_status(working(pid_created=psutil.Process().create_time() - 100))
    assert run.status().state == "interrupted"


def test_a_run_that_never_started_reads_as_interrupted_after_a_minute(run: Run) -> None:
    run.write_status(Status(updated=time.time() - 30))
    assert run.status().state == "starting"
    run.write_status(Status(updated=time.time() - 70))
    assert run.status().state == "interrupted"


def test_a_running_run_that_was_asked_to_stop_reads_as_stopping(run: Run) -> None:
    run.write_status(working())
    assert not run.stop_requested()
    run.request_stop()
    assert run.stop_requested()
    assert run.status().state == "stopping"


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "\x00\x01"])
def test_damaged_records_are_run_errors_not_tracebacks(run: Run, content: str) -> None:
    (run.directory / "run.json").write_text(content)
    with pytest.raises(RunError):
        Run.open(run.directory)
    with pytest.raises(RunError):
        find_run("mine", run.directory.parent)
    assert list_runs(run.directory.parent, kind="distill") != [run]


@pytest.mark.parametrize(
    "content", ["{}", '{"kind": "distill"}', '{"kind": "unheard-of", "config": {}, "created": 1}']
)
def test_records_that_lack_entries_do_not_break_the_list(run: Run, content: str) -> None:
    (run.directory / "run.json").write_text(content)
    for found in list_runs(run.directory.parent):
        assert isinstance(found.kind, str)
    with pytest.raises(MimicError):
        run.config()


def test_a_status_of_another_version_is_a_run_error(run: Run) -> None:
    (run.directory / "status.json").write_text('{"mood": "fine"}')
    with pytest.raises(RunError):
        run.status()


def test_damaged_arrays_are_run_errors(run: Run) -> None:
    run.write_arrays("points", x=np.arange(100))
    path = run.directory / "arrays" / "points.npz"
    whole = path.read_bytes()
    for content in (b"", whole[:50], whole[:-10], b"no archive"):
        path.write_bytes(content)
        with pytest.raises(RunError, match="plot data 'points'"):
            run.arrays("points")


@pytest.mark.parametrize(
    "name",
    ["../outside", "..", ".", "", "/", "runs/../../outside", "mine/", "./mine", "Mine", "a b",
     "mine/../../outside", "-mine", "mine\n", "absent"],
)  # fmt: skip
def test_ids_that_lead_elsewhere_find_nothing(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    Run.create(tmp_path, "distill", DistillConfig(), run_id="outside")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere" if "outside" not in name else ASSETS)
    with pytest.raises(RunError, match="There is no run called"):
        find_run(name, run.directory.parent)


def test_runs_are_found_by_id_bundled_name_and_directory(tmp_path: Path, run: Run) -> None:
    assert find_run("mine", tmp_path / "runs").directory == run.directory
    assert find_run(str(run.directory)).directory == run.directory
    bundled = find_run("demo-distill", tmp_path / "runs")
    assert is_bundled(bundled)
    assert not is_bundled(run)


def test_the_list_is_newest_first_and_bundled_runs_last(tmp_path: Path, run: Run) -> None:
    root = tmp_path / "runs"
    other = Run.create(root, "inspect", InspectConfig(), run_id="newer")
    about = other.about()
    other.write_json("run.json", {**about, "created": about["created"] + 5})
    (root / "stray").mkdir()
    (root / "file").touch()
    found = [r.id for r in list_runs(root)]
    assert found[:2] == ["newer", "mine"]
    assert set(found[2:]) >= {"demo-inspect", "demo-distill"}
    assert next(r.id for r in list_runs(root, kind="inspect")) == "newer"
    assert "mine" not in [r.id for r in list_runs(root, kind="inspect")]
    run.delete()
    assert not run.directory.exists()


def test_inputs_are_noted_with_their_checksum(run: Run, tmp_path: Path) -> None:
    (tmp_path / "e.pth").write_bytes(b"abc")
    note_input(run, "encoder", tmp_path / "e.pth")
    noted = run.about()["inputs"]["encoder"]
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-4
    assert noted == {"path": str(tmp_path / "e.pth"), "sha256": known}
    assert portable(ASSETS / "demo" / "trigger.npz") == "asset:demo/trigger.npz"


def test_progress_tells_share_pace_and_failure(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr("mimic.run.progress.time.time", lambda: clock[0])
    monkeypatch.setattr("mimic.run.progress.time.monotonic", lambda: clock[0])
    progress = Progress(run, device="CPU")
    assert run.status().state == "running"
    clock[0] = 1100.0  # Start-up took long; it must not count.
    progress.update(0.1, "working")
    clock[0] = 1102.0
    progress.update(0.3)
    status = run.status()
    assert (status.progress, status.message, status.device) == (0.3, "working", "CPU")
    assert status.seconds_left == pytest.approx(7.0)  # 0.2 took 2 s, 0.7 is left
    assert status.memory_mb > 1
    progress.set_state("failed", error=StorageError("It broke.", "Mend it."))
    assert (run.status().cause, run.status().remedy) == ("It broke.", "Mend it.")
    progress.set_state("finished")
    assert run.status().progress == 1


def test_the_status_is_not_written_on_every_step(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    progress = Progress(run)
    written = []
    monkeypatch.setattr(run, "write_status", written.append)
    for step in range(200):
        progress.update(step / 1000)
    assert len(written) <= 2
