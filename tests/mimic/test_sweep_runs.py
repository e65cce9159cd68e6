import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mimic.cli import main
from mimic.run import Run
from mimic.verbs.sweep_bench import MEASURES, Bench
from tests.conftest import SubjectFiles

SWEEP = ["--clean-fraction", "0.2", "--epochs", "2", "--batch-size", "16",
         "--layer-sets", "layer1", "layer1+layer3", "--scales", "10", "--seeds", "2"]  # fmt: skip
Sweep = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Sweep:
    def run(*arguments: str) -> tuple[int, dict[str, Any]]:
        capsys.readouterr()
        code = main([*arguments, "--root", str(tmp_path / "runs"), "--json"])
        return code, json.loads(capsys.readouterr().out.strip().split("\n")[-1])

    return run


@pytest.fixture
def options(subject_files: SubjectFiles) -> list[str]:
    return ["sweep", *subject_files.options(), "--clean-twin", str(subject_files.twin), *SWEEP]


def timeless(told: dict[str, Any]) -> dict[str, Any]:
    """A result without what differs from run to run although the numbers do not."""
    cells = [{k: v for k, v in c.items() if k != "seconds"} for c in told["cells"]]
    apart = ("run", "directory", "seconds", "workers", "encoders")  # the files this process read
    return {**{k: v for k, v in told.items() if k not in apart}, "cells": cells}


def test_a_cell_is_the_distillation_it_stands_for(
    cli: Sweep, options: list[str], subject_files: SubjectFiles
) -> None:
    code, told = cli(*options)
    assert code == 0
    assert [(c["layers"], c["seed"]) for c in told["cells"]] == [
        (["layer1"], 0), (["layer1", "layer3"], 0), (["layer1"], 1), (["layer1", "layer3"], 1)
    ]  # fmt: skip
    cell = told["cells"][-1]
    assert cell["weights"] == {"layer1": 10.0, "layer3": 10.0}
    assert (cell["updates"], cell["clean_images"], cell["failure"]) == (4, 32, "")
    same = ["--weights", "layer1=10", "layer3=10", "--seed", "1", "--clean-fraction", "0.2",
            "--epochs", "2", "--batch-size", "16"]  # fmt: skip
    _, distilled = cli("distill", *subject_files.options(), *same)
    student = distilled["scores"]["student"]
    for measure in MEASURES:
        assert cell[measure] == student[measure], measure
    assert told["teacher"] == distilled["scores"]["teacher"]
    assert told["floor"]["accuracy"] is not None
    assert set(told["untrained"]) == set(told["teacher"])
    assert [row["seeds"] for row in told["table"]] == [[0, 1], [0, 1]]
    assert told["sentence"]
    assert Run(Path(told["directory"])).metrics() == told["cells"]


def test_a_stopped_and_torn_sweep_resumes_to_the_same_result(
    cli: Sweep, options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, whole = cli(*options)
    record = Run.record

    def stop_after_two(run: Run, values: dict[str, Any]) -> None:
        record(run, values)
        if len(run.metrics()) == 2:
            run.request_stop()

    monkeypatch.setattr("mimic.verbs.work.STOP_CHECK_SECONDS", 0.0)
    monkeypatch.setattr(Run, "record", stop_after_two)
    code, stopped = cli(*options)
    monkeypatch.setattr(Run, "record", record)
    assert (code, stopped["state"]) == (3, "stopped")
    run = Run(Path(stopped["directory"]))
    assert len(run.metrics()) == 2  # The third cell was stopped within its first epoch.
    assert run.result() is None

    with (run.directory / "metrics.jsonl").open("a") as torn:
        torn.write('{"layers": ["layer1"], "sca')  # as if it had been killed while writing
    begun: list[Any] = []
    outcome = Bench.outcome
    monkeypatch.setattr(Bench, "outcome", lambda *a, **k: (begun.append(a[1]), outcome(*a, **k))[1])
    code, resumed = cli("sweep", "--resume", run.id)
    assert code == 0
    assert [(cell.layers, cell.seed) for cell in begun] == [
        (("layer1",), 1), (("layer1", "layer3"), 1)
    ]  # fmt: skip
    assert timeless(resumed) == timeless(whole)

    code, told = cli("sweep", "--resume", run.id)
    assert (code, "is finished" in told["error"]) == (1, True)
    code, told = cli("distill", "--resume", run.id)
    assert (code, "is no distill run" in told["error"]) == (1, True)


@pytest.mark.slow
def test_two_workers_find_the_numbers_of_one_and_a_diverging_cell_ends_alone(
    cli: Sweep, options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "script.py"  # Workers must not run whatever script began the sweep.
    script.write_text("raise SystemExit('run again')")
    monkeypatch.setattr(sys.modules["__main__"], "__file__", str(script), raising=False)
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", None, raising=False)
    code, together = cli(*options, "--workers", "2", "--scales", "10", "1e45")
    assert code == 0
    assert together["workers"] == 2
    _, alone = cli(*options, "--scales", "10", "1e45")
    assert timeless(together) == timeless(alone)
    failed = [c for c in together["cells"] if c["scale"] == 1e45]
    assert len(failed) == 4
    assert all("no longer a finite number" in c["failure"] for c in failed)
    assert all(c["asr"] is None for c in failed)
    assert "4 of 8 cells failed" in together["notes"][1]


@pytest.mark.slow
def test_workers_stop_when_the_sweep_is_stopped(
    cli: Sweep, options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = Run.record
    monkeypatch.setattr(Run, "record", lambda run, v: (record(run, v), run.request_stop()))
    code, stopped = cli(*options, "--workers", "2", "--seeds", "6", "--epochs", "40")
    assert (code, stopped["state"]) == (3, "stopped")
    assert 1 <= len(Run(Path(stopped["directory"])).metrics()) < 12


def test_information_of_a_run_shares_the_weight(
    cli: Sweep, options: list[str], subject_files: SubjectFiles
) -> None:
    small = ["--clean-fraction", "0.2", "--pairs", "60", "--critic-epochs", "2", "--networks",
             "teacher", "--inputs", "clean", "--layers", "layer1", "layer3"]  # fmt: skip
    _, measured = cli("information", *subject_files.options(), *small)
    code, told = cli(*options, "--information", measured["run"], "--seeds", "1")
    assert code == 0
    weights = told["cells"][1]["weights"]
    assert sum(weights.values()) == pytest.approx(20)
    assert f"information of run {measured['run']}" in told["notes"][0]
    code, told = cli(*options, "--information", measured["run"], "--layer-sets", "layer2")
    assert (code, told["error"]) == (1, f"Run {measured['run']} has not measured layer2.")


@pytest.mark.parametrize(
    ("given", "cause"),
    [
        (["--layer-sets", "layer1", "layer9"], "layer9"),
        (["--scales", "0"], "The scale '0' is no positive number."),
        (["--losses", "some"], "The losses 'some' are not known."),
        (["--information", "nothing"], "There is no run called 'nothing'."),
        (["--workers", "0"], "0 workers cannot share the work."),
        (["--resume", "absent"], "There is no run called 'absent'."),
    ],
)
def test_bad_input_ends_in_a_sentence(
    cli: Sweep, options: list[str], given: list[str], cause: str
) -> None:
    code, told = cli(*options, *given)
    assert code == 1
    assert cause in told["error"]
    assert told["remedy"].endswith((".", "python -m mimic runs"))


def test_images_without_labels_are_refused(cli: Sweep, options: list[str], tmp_path: Path) -> None:
    import numpy as np

    rng = np.random.default_rng(0)
    np.savez(tmp_path / "bare.npz", x=rng.integers(0, 255, (120, 16, 16, 3), dtype=np.uint8))
    code, told = cli(*options, "--data", str(tmp_path / "bare.npz"))
    assert code == 1
    assert "have no labels" in told["error"]
