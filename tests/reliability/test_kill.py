"""R1 and R3: SIGKILL at random moments of real small jobs, and what becomes of them."""

import os
import random
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from mimic import job
from mimic.config import Config, DistillConfig, PretrainConfig, SweepConfig
from mimic.run import Checkpoints, Run, list_runs
from mimic.run.checkpoints import NEWEST
from tests.reliability.conftest import (
    Jobs,
    metric_lines,
    timeless,
    unfinished_files,
)

MOST_KILLS_OF_A_RUN = 6
KILLS = int(os.environ.get("MIMIC_KILLS", "100"))
"""Of distillations; fewer only to try the tests out."""
OTHER_KILLS = KILLS // 3
"""Of sweeps, which are distillations one after the other, and of trainings that save no state."""


def straight(jobs: Jobs, kind: str, config: Config) -> tuple[Run, float]:
    """The run as it is without a kill, and how long it takes."""
    run = jobs.make(kind, config)
    started = time.monotonic()
    assert jobs.start(run).wait() == 0, (run.directory / "log.txt").read_text()
    return run, time.monotonic() - started


def tensors(run: Run) -> dict[str, torch.Tensor]:
    """All final tensors: the student's, and the whole training state."""
    found = {}
    for name in ("student.safetensors", NEWEST):
        loaded = safetensors.torch.load_file(run.directory / name)
        found |= {f"{name} {key}": value for key, value in loaded.items()}
    return found


def same_training(run: Run, expected: Run) -> None:
    now, before = tensors(run), tensors(expected)
    assert now.keys() == before.keys()
    assert all(torch.equal(now[key], before[key]) for key in before)


def same_outcome(run: Run, expected: Run) -> None:
    assert metric_lines(run) == metric_lines(expected)
    assert timeless(run.result()) == timeless(expected.result())


def kill_often(
    jobs: Jobs, kind: str, config: Config, kills: int, dice: random.Random
) -> dict[str, int]:
    """Kill, check what is left and resume, until so many kills have met a process at work."""
    expected, duration = straight(jobs, kind, config)
    told = {"kills": 0, "resumed": 0, "finished": 0, "mid": 0}
    while told["kills"] < kills:
        run = jobs.make(kind, config)
        for _ in range(MOST_KILLS_OF_A_RUN):
            lines = len(run.metrics())
            was_at_work = jobs.killed_after(run, dice.uniform(0, duration))
            if not was_at_work or run.status().state == "finished":
                duration *= 0.8  # The machine has become faster than it was.
                break
            duration *= 1.03
            told["kills"] += 1
            told["mid"] += len(run.metrics()) > 0
            check_remains(run, kind, lines)
            job.prepare_resume(run)
            assert unfinished_files(run.directory) == []
            told["resumed"] += 1
        if run.status().state != "finished":
            assert jobs.start(run).wait() == 0, (run.directory / "log.txt").read_text()
        assert run.status().state == "finished"
        same_outcome(run, expected)
        if kind == "distill":
            same_training(run, expected)
        told["finished"] += 1
    return told


def check_remains(run: Run, kind: str, lines_before: int) -> None:
    """What a killed job leaves: no pretence of work, and state that loads."""
    status = run.status()
    assert status.state == "interrupted", status
    assert status.cause
    assert status.remedy
    assert run.id in [known.id for known in list_runs(run.directory.parent)]
    if kind == "distill" and run.metrics():
        checkpoint = Checkpoints(run).latest()
        epoch = max(metric["epoch"] for metric in run.metrics())
        if checkpoint is None:
            assert epoch <= 1
        else:
            assert safetensors.torch.load_file(checkpoint.path)
            assert checkpoint.damaged == ()
    if kind == "sweep":
        assert len(run.metrics()) >= lines_before  # No cell that had ended is lost.


Counted = Callable[[str], None]


@pytest.mark.slow
def test_r1_r3_a_killed_distillation_ends_as_if_it_had_not_been_killed(
    jobs: Jobs, distillation: DistillConfig, dice: random.Random, count: Counted
) -> None:
    told = kill_often(jobs, "distill", distillation, 4, dice)
    assert told["resumed"] == told["kills"] >= 4
    count(f"R1 and R3, distill (short version): {told}")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["distill", "sweep"])
def test_r1_r3_a_hundred_kills_at_random_moments(
    jobs: Jobs,
    distillation: DistillConfig,
    small_sweep: SweepConfig,
    dice: random.Random,
    count: Counted,
    kind: str,
) -> None:
    config: Config = distillation if kind == "distill" else small_sweep
    kills = KILLS if kind == "distill" else OTHER_KILLS
    told = kill_often(jobs, kind, config, kills, dice)
    assert told["resumed"] == told["kills"] >= kills
    assert told["mid"] >= kills // 10  # Kills in the middle of the work, not of its preparations.
    count(
        f"R1 and R3, {kind}: {told['kills']} kills -9 ({told['mid']} after the first metric line), "
        f"{told['resumed']} resumed, {told['finished']} runs ended bit-equal to the straight one, "
        "0 lost, 0 shown as running"
    )


@pytest.mark.slow
def test_r1_a_killed_training_that_saves_no_state_restarts_cleanly(
    jobs: Jobs, dice: random.Random, count: Counted
) -> None:
    config = PretrainConfig(
        architecture="resnet10", width=4, images=64, batch_size=16, epochs=4, device="cpu",
        precision="float32",
    )  # fmt: skip
    expected, duration = straight(jobs, "pretrain", config)
    encoder = (expected.directory / "encoder.safetensors").read_bytes()
    kills = 0
    while kills < OTHER_KILLS:
        run = jobs.make("pretrain", config)
        was_at_work = jobs.killed_after(run, dice.uniform(0, duration))
        if not was_at_work or run.status().state == "finished":
            duration *= 0.8
            continue
        duration *= 1.03
        assert run.status().state == "interrupted"
        kills += 1
        if kills % 5 == 0:
            job.prepare_resume(run)
            assert jobs.start(run).wait() == 0
            assert (run.directory / "encoder.safetensors").read_bytes() == encoder
            same_outcome(run, expected)
    count(f"R1, pretrain: {kills} kills -9, {kills // 5} of them restarted, to the same bytes")


@pytest.mark.slow
def test_r14_the_same_seed_gives_the_same_bits_twice(
    jobs: Jobs, distillation: DistillConfig
) -> None:
    config = replace(distillation, epochs=2, evaluate_every=1)
    (first, _), (second, _) = (straight(jobs, "distill", config) for _ in range(2))
    same_training(second, first)
    same_outcome(second, first)
    other, _ = straight(jobs, "distill", replace(config, seed=1))
    assert metric_lines(other) != metric_lines(first)


def test_r3_nothing_of_an_epoch_that_was_not_saved_remains(
    jobs: Jobs, distillation: DistillConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The metric log is ahead of the checkpoint when the process dies: lines are redone."""
    expected, _ = straight(jobs, "distill", distillation)
    run = jobs.make("distill", distillation)
    save, record = Checkpoints.save, Run.record

    def save_at_first(self: Checkpoints, write: Callable[[Path], object]) -> None:
        if len(self.run.metrics()) <= 3:
            save(self, write)

    def record_and_die(self: Run, values: dict[str, Any]) -> None:
        record(self, values)
        if values["epoch"] == 5:
            os._exit(2)

    monkeypatch.setattr(Run, "record", record_and_die)
    monkeypatch.setattr(Checkpoints, "save", save_at_first)
    assert jobs.start(run).wait() == 2
    assert [m["epoch"] for m in run.metrics()] == [0, 1, 2, 3, 4, 5]
    monkeypatch.setattr(Run, "record", record)
    monkeypatch.setattr(Checkpoints, "save", save)
    job.prepare_resume(run)
    assert jobs.start(run).wait() == 0
    same_training(run, expected)
    same_outcome(run, expected)
