"""R15: many jobs in a row leave no memory, no open file and no temporary file behind."""

import gc
import tempfile
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from mimic import job
from mimic.config import DistillConfig, EvaluateConfig, InspectConfig
from mimic.run import list_runs
from mimic.verbs import execute
from tests.reliability.conftest import Jobs

JOBS = 50


@pytest.mark.slow
def test_r15_fifty_jobs_executed_in_one_process(
    jobs: Jobs,
    distillation: DistillConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    count: Callable[[str], None],
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    shared = {k: v for k, v in distillation.to_json().items() if k in EvaluateConfig().to_json()}
    config = EvaluateConfig.from_json(shared)
    process = psutil.Process()

    def one() -> None:
        run = jobs.make("evaluate", config)
        execute(run)
        assert run.status().state == "finished"

    for _ in range(5):  # Libraries load what they need once.
        one()
    gc.collect()
    memory, files = process.memory_info().rss, process.num_fds()
    for _ in range(JOBS):
        one()
    gc.collect()
    grown, opened = process.memory_info().rss / memory - 1, process.num_fds() - files
    count(f"R15: {JOBS} jobs, memory {grown:+.1%}, open files {opened:+d}, temporary files 0")
    assert grown <= 0.10
    assert opened <= 5
    assert list(scratch.iterdir()) == []


def test_r15_fifty_jobs_started_by_one_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The processes do nothing here; what counts is what the server keeps of them."""
    monkeypatch.setattr("mimic.job.python_command", lambda *_: ["true"])
    process = psutil.Process()
    job.start("inspect", InspectConfig(), root=tmp_path)
    files = process.num_fds()
    for _ in range(JOBS):
        job.start("inspect", InspectConfig(), root=tmp_path)
        list_runs(tmp_path)
    assert process.num_fds() - files <= 5
    for child in job.CHILDREN:
        child.wait()
    job.reap()
    assert job.CHILDREN == []
    assert not [c for c in process.children() if c.status() == psutil.STATUS_ZOMBIE]
