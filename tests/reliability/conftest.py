"""Small real jobs, a process that forks them, and what they count."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from mimic.config import VERB_CONFIGS, Config, DistillConfig, SweepConfig
from mimic.run import Run
from tests.conftest import TRIGGER, SubjectFiles

PATIENCE = 120.0


@pytest.fixture
def count(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Adds a line to the summary, also from a process of its own that runs tests."""
    return lambda line: record_property("count", line)


@pytest.fixture(scope="session", autouse=True)
def few_threads() -> None:
    import torch

    torch.set_num_threads(1)  # Forked children could not use a pool of threads.


def options(files: SubjectFiles) -> dict[str, Any]:
    return {
        "encoder": str(files.encoder), "data": str(files.data), "trigger": TRIGGER,
        "target_class": 1, "probe_images": 24, "test_images": 12, "device": "cpu",
        "precision": "float32",
    }  # fmt: skip


@pytest.fixture
def distillation(subject_files: SubjectFiles) -> DistillConfig:
    """Six epochs of three updates, judged once in the middle."""
    return DistillConfig(
        **options(subject_files), clean_fraction=0.3, information="uniform", batch_size=16,
        epochs=6, evaluate_every=3,
    )  # fmt: skip


@pytest.fixture
def small_sweep(subject_files: SubjectFiles) -> SweepConfig:
    """Eight cells of one epoch."""
    return SweepConfig(
        **options(subject_files), clean_fraction=0.2, epochs=1, batch_size=16,
        layer_sets=("layer1", "layer3"), scales=("10",), seeds=("4",),
    )  # fmt: skip


def note_process(run: Run, pid: int) -> None:
    """What ``job.spawn`` writes of the process it has started."""
    created = psutil.Process(pid).create_time()
    run.write_json("process.json", {"pid": pid, "pid_created": created})


class Child:
    """A forked process that executes a run; torch is loaded already, so it starts at once."""

    def __init__(self, run: Run) -> None:
        from mimic.errors import MimicError
        from mimic.verbs import execute

        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                execute(run)
                os._exit(0)
            except MimicError:
                os._exit(1)
            finally:
                os._exit(2)
        note_process(run, self.pid)

    def kill(self) -> None:
        """SIGKILL, and the parent collects it."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    def ended(self) -> bool:
        """Whether it has ended by itself."""
        return os.waitpid(self.pid, os.WNOHANG)[0] == self.pid

    def wait(self) -> int:
        """Its exit status."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


class Jobs:
    """Makes runs in a folder and executes them here or in forked children."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def make(self, kind: str, config: Config) -> Run:
        assert isinstance(config, VERB_CONFIGS[kind])
        return Run.create(self.root, kind, config)

    def start(self, run: Run) -> Child:
        return Child(run)

    def killed_after(self, run: Run, delay: float) -> bool:
        """Execute for ``delay`` seconds, then SIGKILL; whether it was still at work."""
        child = self.start(run)
        deadline = time.monotonic() + delay
        while time.monotonic() < deadline:
            if child.ended():
                return False
            time.sleep(0.002)
        child.kill()
        return True


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Jobs:
    # Every epoch is saved, so that kills meet the saving too.
    monkeypatch.setattr("mimic.verbs.distill.SAVE_SECONDS", 0.0)
    monkeypatch.setattr("mimic.verbs.distill.MOST_SAVE_SECONDS", 0.0)
    return Jobs(tmp_path / "runs")


@pytest.fixture
def dice() -> Iterator[random.Random]:
    return iter([random.Random(20260406)]).__next__()


TIMES = ("seconds", "created", "started", "updated")


def timeless(value: Any) -> Any:
    """A record without what differs from run to run although the numbers do not."""
    if isinstance(value, dict):
        return {k: timeless(v) for k, v in value.items() if k not in TIMES}
    return [timeless(v) for v in value] if isinstance(value, list) else value


def metric_lines(run: Run) -> list[str]:
    """The metric log, line by line, without times; every line must be whole."""
    text = (run.directory / "metrics.jsonl").read_text()
    assert text.endswith("\n")
    return [json.dumps(timeless(json.loads(line))) for line in text.splitlines()]


def unfinished_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.startswith(".new-")]
