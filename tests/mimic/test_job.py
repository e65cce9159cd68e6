import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mimic import job
from mimic.config import DistillConfig, EvaluateConfig, InspectConfig
from mimic.errors import RunError
from mimic.inspected import create_run
from mimic.run import Run, Status, find_run, note_input
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


def inspected(root: Path, encoder: Path, *, named: str = "", trigger: str = "") -> Run:
    run = Run.create(root, "inspect", InspectConfig(encoder=named or str(encoder), trigger=trigger))
    note_input(run, "encoder", encoder)
    run.write_status(Status(state="finished"))
    time.sleep(0.01)  # Which of two is newer is told by the clock.
    return run


def is_at_work(run: Run) -> bool:
    return len(run.metrics()) >= 3 and run.status().state == "running"


@pytest.mark.slow
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
    inspected(root, encoder)
    assert job.start("distill", asked, root=root).kind == "distill"

    encoder.write_bytes(encoder.read_bytes() + b"\0")
    with pytest.raises(RunError, match="changed since run inspect-"):
        job.start("distill", asked, root=root)
    assert job.start("inspect", InspectConfig(encoder=str(encoder)), root=root).kind == "inspect"
    inspected(root, encoder)
    assert job.start("distill", asked, root=root).kind == "distill"


def test_s8_no_spelling_of_the_path_leads_round_the_inspection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    encoder = folder / "e.pth"
    encoder.write_bytes(b"A")
    root = tmp_path / "runs"
    monkeypatch.chdir(folder)
    inspected(root, encoder, named="e.pth")
    encoder.write_bytes(b"B")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(folder)
    for text in (str(encoder), f"{folder}/../a/e.pth", f"{tmp_path}/link/e.pth", "a/e.pth"):
        with pytest.raises(RunError, match="changed since run inspect-"):
            create_run("evaluate", EvaluateConfig(encoder=text), root)
    other = folder / "other.pth"
    other.write_bytes(b"B")
    assert create_run("evaluate", EvaluateConfig(encoder=str(other)), root).about()["inputs"] == {}


def test_s8_a_job_works_on_what_its_own_subject_s_inspection_saw(tmp_path: Path) -> None:
    # Two inspections of one file, which was exchanged in between: each has its own trigger.
    encoder, root = tmp_path / "e.pth", tmp_path / "runs"
    encoder.write_bytes(b"A")
    first = inspected(root, encoder, trigger="square:0:0:2")
    first.write_json("result.json", {"variants": [{"max_pool": "no", "chosen": True}]})
    encoder.write_bytes(b"B")
    second = inspected(root, encoder, trigger="square:0:0:3")
    fields = {"encoder": str(encoder)}
    for max_pool in ("auto", "no"):  # As given, and as the inspection found it to be.
        asked = EvaluateConfig(**fields, trigger="square:0:0:2", max_pool=max_pool)
        with pytest.raises(RunError, match=f"changed since run {first.id} inspected"):
            create_run("evaluate", asked, root)
    for trigger in ("square:0:0:3", "square:0:0:4"):  # The newest speaks for other subjects.
        run = create_run("evaluate", EvaluateConfig(**fields, trigger=trigger), root)
        assert run.about()["inputs"]["encoder"]["inspected"] == second.id


@pytest.mark.parametrize("torn", ["status.json", "result.json"])
def test_s8_a_damaged_inspection_stands_in_no_other_run_s_way(tmp_path: Path, torn: str) -> None:
    encoder, root = tmp_path / "e.pth", tmp_path / "runs"
    encoder.write_bytes(b"A")
    sound = inspected(root, encoder)
    (inspected(root, encoder).directory / torn).write_text('{"state": "fini')
    run = create_run("evaluate", EvaluateConfig(encoder=str(encoder)), root)
    assert run.about()["inputs"]["encoder"]["inspected"] == sound.id


def test_s8_a_deleted_file_is_not_called_changed(tmp_path: Path) -> None:
    encoder, root = tmp_path / "e.pth", tmp_path / "runs"
    encoder.write_bytes(b"A")
    sound = inspected(root, encoder)
    encoder.unlink()
    run = create_run("evaluate", EvaluateConfig(encoder=str(encoder)), root)
    assert run.about()["inputs"]["encoder"]["inspected"] == sound.id  # Its work says what it lacks.


def test_s8_a_file_that_changes_while_its_job_waits_ends_the_run(
    tmp_path: Path, subject_files: SubjectFiles
) -> None:
    from mimic.verbs.execution import execute

    encoder = tmp_path / "suspect.pth"
    encoder.write_bytes(subject_files.encoder.read_bytes())
    root = tmp_path / "runs"
    inspected(root, encoder)
    run = create_run("distill", config(subject_files, encoder=str(encoder)), root)
    encoder.write_bytes(subject_files.twin.read_bytes())
    for _ in range(2):
        with pytest.raises(RunError, match=r"changed since run inspect-.*Inspect it again"):
            execute(run)


def test_s8_the_command_line_is_bound_to_the_inspection_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from mimic.cli import main

    encoder, root = tmp_path / "e.pth", tmp_path / "runs"
    encoder.write_bytes(b"A")
    inspected(root, encoder)
    begun = create_run("evaluate", EvaluateConfig(encoder=str(encoder)), root)
    encoder.write_bytes(b"B")
    for words in (
        ["evaluate", "--encoder", str(encoder)],
        ["distill", "--encoder", str(encoder)],
        ["runs", "--rerun", begun.id],
    ):
        before = len(list(root.iterdir()))
        assert main([*words, "--root", str(root)]) == 1
        assert "changed since run inspect-" in capsys.readouterr().err
        assert len(list(root.iterdir())) == before, "no run is left behind"


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
