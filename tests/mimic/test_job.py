import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mimic import job
from mimic.config import DistillConfig, InspectConfig
from mimic.errors import RunError
from mimic.run import Run, Status, find_run
from tests.conftest import TRIGGER, SubjectFiles

PATIENCE = 60.0


def wait(condition: Callable[[], bool], run: Run) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, (run.status(), log(run))
        time.sleep(0.05)


def log(run: Run) -> str:
    path = run.directory / "log.txt"
    return path.read_text() if path.exists() else ""


def config(files: SubjectFiles, **changes: object) -> DistillConfig:
    asked = DistillConfig(
        encoder=str(files.encoder), data=str(files.data), trigger=TRIGGER, target_class=1,
        probe_images=40, test_images=20, device="cpu", precision="float32", clean_fraction=0.2,
        information="uniform", batch_size=16, epochs=2, evaluate_every=5000,
    )  # fmt: skip
    return replace(asked, **changes)  # type: ignore[arg-type]


def is_at_work(run: Run) -> bool:
    return len(run.metrics()) >= 3 and run.status().state == "running"


def test_jobs_finish_stop_and_survive_a_kill(subject_files: SubjectFiles, tmp_path: Path) -> None:
    # One test, so that three processes spend their start-up time together.
    long = config(subject_files, epochs=100_000)
    finishing = job.start("distill", config(subject_files), root=tmp_path / "a")
    stopping = job.start("distill", long, root=tmp_path / "b")
    killed = job.start("distill", replace(long, schedule="constant"), root=tmp_path / "c")
    assert finishing.status().is_active

    wait(lambda: is_at_work(killed), killed)
    with pytest.raises(RunError, match="at work already"):
        job.resume(killed)
    status = killed.status()
    assert status.pid != os.getpid()
    os.kill(status.pid, signal.SIGKILL)
    wait(lambda: not killed.status().is_active, killed)
    assert killed.status().state == "interrupted"

    wait(lambda: is_at_work(stopping), stopping)
    job.stop(stopping, wait=True)
    assert stopping.status().state == "stopped", log(stopping)
    done = len(stopping.metrics())

    wait(lambda: not finishing.status().is_active, finishing)
    assert finishing.status().state == "finished", log(finishing)
    assert (finishing.directory / "student.pth").is_file()
    assert [m["epoch"] for m in finishing.metrics()] == [0, 1, 2]

    for run in (stopping, killed):  # The end comes soon now: the config names one epoch more.
        about = run.about()
        about["config"]["epochs"] = max(m["epoch"] for m in run.metrics()) + 1
        run.write_json("run.json", about)
        (run.directory / "began.json").unlink()  # It would tell that the setting was changed.
        assert job.resume(run).id == run.id
    for run in (stopping, killed):
        wait(lambda run=run: not run.status().is_active, run)  # type: ignore[misc]
        assert run.status().state == "finished", log(run)
        epochs = [m["epoch"] for m in run.metrics()]
        assert epochs == list(range(len(epochs)))
    assert len(stopping.metrics()) == done + 1
    wait(lambda: job.reap() or not job.CHILDREN, finishing)  # type: ignore[func-returns-value]


def test_a_finished_bundled_or_missing_run_cannot_be_resumed(tmp_path: Path) -> None:
    run = Run.create(tmp_path, "distill", DistillConfig(), run_id="done")
    run.write_status(Status(state="finished"))
    with pytest.raises(RunError, match="is finished"):
        job.resume(run)
    with pytest.raises(RunError, match="ships with the project"):
        job.resume(find_run("demo-distill"))


def test_stopping_what_is_not_at_work_changes_nothing(tmp_path: Path) -> None:
    run = Run.create(tmp_path, "distill", DistillConfig(), run_id="done")
    run.write_status(Status(state="finished"))
    job.stop(run, wait=True)
    assert not run.stop_requested()
    bundled = find_run("demo-distill")
    job.stop(bundled)
    assert not bundled.stop_requested()


def test_preparing_to_resume_clears_the_request_and_the_error(tmp_path: Path) -> None:
    run = Run.create(tmp_path, "distill", DistillConfig(), run_id="mine")
    run.request_stop()
    run.write_status(Status(state="failed", cause="It broke.", remedy="Mend it.", pid=5))
    job.prepare_resume(run)
    status = run.status()
    assert (status.state, status.cause, status.pid) == ("starting", "", 0)
    assert not run.stop_requested()


def test_the_command_line_shows_only_what_differs_from_defaults() -> None:
    assert job.command_line("inspect", InspectConfig()) == "python -m mimic inspect"
    asked = DistillConfig(data="my data", layers=("layer1", "layer4"), download=True, epochs=3)
    assert job.command_line("distill", asked) == (
        "python -m mimic distill --download --data 'my data' --layers layer1 layer4 --epochs 3"
    )


def test_s8_no_job_starts_on_a_file_that_changed_after_its_inspection(
    tmp_path: Path, subject_files: SubjectFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "spawn", lambda run: None)
    encoder = tmp_path / "suspect.pth"
    encoder.write_bytes(subject_files.encoder.read_bytes())
    asked = config(subject_files, encoder=str(encoder))
    root = tmp_path / "runs"
    inspected = Run.create(root, "inspect", InspectConfig(encoder=str(encoder)))
    inspected.note_input("encoder", encoder)
    inspected.write_status(Status(state="finished"))
    assert job.start("distill", asked, root=root).kind == "distill"

    encoder.write_bytes(encoder.read_bytes() + b"\0")
    with pytest.raises(RunError, match="changed since run inspect-"):
        job.start("distill", asked, root=root)
    again = job.start("inspect", InspectConfig(encoder=str(encoder)), root=root)
    again.note_input("encoder", encoder)
    again.write_status(Status(state="finished"))
    assert job.start("distill", asked, root=root).kind == "distill"


def test_s8_a_file_that_changes_while_it_is_loaded_ends_the_run(
    tmp_path: Path, subject_files: SubjectFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mimic.verbs import work
    from mimic.verbs.execution import perform

    encoder = tmp_path / "suspect.pth"
    encoder.write_bytes(subject_files.encoder.read_bytes())
    load = work.load_encoder

    def late(path: Path, **options: object) -> object:
        path.write_bytes(subject_files.twin.read_bytes())
        return load(path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(work, "load_encoder", late)
    with pytest.raises(RunError, match="changed while the run began"):
        perform("distill", config(subject_files, encoder=str(encoder)), root=tmp_path / "runs")
