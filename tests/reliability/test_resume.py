"""R4 and R16: what has changed since a run began is named, and every end is in the log."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mimic import job
from mimic.cli import main
from mimic.config import DistillConfig
from mimic.errors import MimicError, RunError
from mimic.run import Run
from mimic.run.unchanged import BEGAN, require_unchanged
from mimic.run.versions import code_version
from mimic.verbs import execute
from mimic.verbs.execution import EXECUTORS, explain_failure
from tests.conftest import SubjectFiles, make_encoder, picture_set
from tests.reliability.conftest import Jobs


@pytest.fixture
def stopped(jobs: Jobs, distillation: DistillConfig, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A distillation that was stopped after its second epoch."""
    run = jobs.make("distill", distillation)
    record = Run.record

    def stop_at_two(self: Run, values: dict[str, Any]) -> None:
        record(self, values)
        if values["epoch"] == 2:
            self.request_stop()

    monkeypatch.setattr(Run, "record", stop_at_two)
    assert execute(run) == {}
    monkeypatch.setattr(Run, "record", record)
    assert run.status().state == "stopped"
    return run


def edit(run: Run, name: str, change: Callable[[dict[str, Any]], None]) -> None:
    value = run.read_json(name)
    assert value is not None
    change(value)
    run.write_json(name, value)


def test_r4_a_changed_setting_library_or_code_is_named(
    stopped: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(cause: str) -> None:
        with pytest.raises(RunError, match=cause):
            job.prepare_resume(stopped)
        assert stopped.status().state == "stopped"

    edit(stopped, "run.json", lambda about: about["config"].update(epochs=99))
    refused("The setting epochs of run")
    edit(stopped, "run.json", lambda about: about["config"].update(epochs=6))
    whole = stopped.read_json(BEGAN)
    assert whole is not None
    assert whole["versions"]["mimic"] == code_version()
    edit(stopped, BEGAN, lambda began: began["versions"].update(torch="1.0"))
    refused("The version of torch has changed")
    stopped.write_json(BEGAN, whole)
    edit(stopped, BEGAN, lambda began: began["versions"].update(mimic="0" * 64))
    refused("The code of MIMIC Studio has changed")
    stopped.write_json(BEGAN, whole)
    require_unchanged(stopped)

    root = ["--root", str(stopped.directory.parent)]
    assert main(["distill", "--resume", stopped.id, "--epochs", "9", *root]) == 1
    assert "was started with another --epochs (6)" in capsys.readouterr().err
    assert main(["distill", "--resume", stopped.id, "--epochs", "6", *root]) == 0


@pytest.mark.parametrize("name", ["encoder", "data"])
def test_r4_a_changed_input_is_named(
    jobs: Jobs, distillation: DistillConfig, tmp_path: Path, name: str
) -> None:
    files = {"encoder": tmp_path / "e.pth", "data": tmp_path / "d.npz"}
    for key, path in files.items():
        path.write_bytes(Path(getattr(distillation, key)).read_bytes())
    config = replace(distillation, **{k: str(v) for k, v in files.items()}, epochs=1)  # type: ignore[arg-type]
    run = jobs.make("distill", config)
    execute(run)
    run.write_status(replace(run.status(), state="stopped"))
    if name == "data":
        images, labels = picture_set(200, seed=5)
        np.savez(files[name], x=images, y=labels[:, None])
    else:
        from mimic.checkpoint import save_badencoder
        from mimic.encoder import ProjectionHead

        save_badencoder(files[name], make_encoder(seed=9), ProjectionHead(32, 16), epoch=7)
    job.prepare_resume(run)
    told = {"encoder": "The file given as encoder", "data": r"The data set .*d\.npz"}[name]
    with pytest.raises(RunError, match=f"{told} has changed since the run began"):
        execute(run)
    assert run.status().state == "failed"


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(), RuntimeError("can't allocate memory: 2 GiB"), ValueError("odd"),
        OSError(28, "No space left on device"), KeyError("x"), RunError("Cause.", "Remedy."),
    ],
    ids=str,
)  # fmt: skip
def test_r16_every_failure_has_a_cause_a_remedy_and_a_line_in_the_log(
    jobs: Jobs, distillation: DistillConfig, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    run = jobs.make("distill", distillation)

    def fail(_work: Any) -> dict[str, Any]:
        raise error

    monkeypatch.setitem(EXECUTORS, "distill", fail)
    with pytest.raises(MimicError):
        execute(run)
    status = run.status()
    assert status.state == "failed"
    for sentence in (status.cause, status.remedy):
        assert sentence.endswith(".")
        assert "Traceback" not in sentence
        assert len(re.findall(r"\.(\s|$)", sentence)) == 1
    log = (run.directory / "log.txt").read_text()
    assert f"run {run.id}: failed: {status.cause} {status.remedy}" in log
    assert type(error).__name__ in log  # The details are here, not on the page.


def test_r7_a_batch_that_would_fit_is_named(subject_files: SubjectFiles) -> None:
    for error in (MemoryError(), RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")):
        told = explain_failure(error, 64)
        assert told.cause == "Memory ran out with batches of 64 images."
        assert "a batch of at most 32" in told.remedy
    assert "fewer images" in explain_failure(MemoryError()).remedy
