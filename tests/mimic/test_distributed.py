import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from mimic import distributed
from mimic.distributed import GlobalBatchNorm
from mimic.errors import ConfigError
from mimic.run import Run
from tests.conftest import SubjectFiles

REPOSITORY = Path(__file__).resolve().parents[2]
TRAINING = [
    "--clean-fraction", "0.2", "--epochs", "4", "--batch-size", "16", "--information", "uniform",
    "--learning-rate", "0.0003", "--schedule", "constant", "--evaluate-every", "4",
]  # fmt: skip


def train(options: list[str], root: Path, *, processes: int) -> subprocess.CompletedProcess[str]:
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    command = [sys.executable, *(launcher if processes > 1 else []), "-m", "mimic", "distill"]
    return subprocess.run(
        [*command, *options, "--root", str(root), "--json"],
        cwd=REPOSITORY,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def outcome(done: subprocess.CompletedProcess[str]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    assert done.returncode == 0, done.stderr
    (line,) = done.stdout.strip().split("\n")  # Only the first process prints.
    told = json.loads(line)
    return told, Run(Path(told["directory"])).metrics()[1:]


@pytest.mark.slow
def test_two_processes_train_as_one_does_with_the_same_batch(
    subject_files: SubjectFiles, tmp_path: Path
) -> None:
    options = [*subject_files.options(), *TRAINING]
    alone, expected = outcome(train(options, tmp_path / "one", processes=1))
    together, found = outcome(train(options, tmp_path / "two", processes=2))
    assert (alone["processes"], together["processes"]) == (1, 2)
    assert len(expected) == len(found) == 4
    for one, two in zip(expected, found, strict=True):
        for key in ("loss", "contrastive", "attention", "clone"):
            assert two[key] == pytest.approx(one[key], rel=1e-4, abs=1e-5), (one["epoch"], key)
        assert two["attention_by_layer"] == pytest.approx(one["attention_by_layer"], rel=1e-3)
    assert found[-1]["agreement"] == pytest.approx(expected[-1]["agreement"], rel=1e-3)
    assert found[-1]["loss"] < found[0]["loss"] - 1e-3  # It trained; equality alone says little.
    assert len(list((tmp_path / "two").glob("distill-*"))) == 1
    assert together["scores"]["student"] is not None


def test_a_batch_the_processes_cannot_share_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed, "count", lambda: 3)
    monkeypatch.setattr(distributed, "rank", lambda: 1)
    assert distributed.own_rows(12) == slice(4, 8)
    with pytest.raises(ConfigError, match="3 processes cannot share a batch of 16 images"):
        distributed.own_rows(16)


def test_one_process_alone_is_left_as_it_is() -> None:
    network = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
    rows = torch.rand(4, 3)
    assert (distributed.count(), distributed.rank()) == (1, 0)
    assert distributed.share_batch_norm(network) is network
    assert type(network[1]) is nn.BatchNorm1d
    assert distributed.averaged_gradients(network, unused=False) is network
    assert distributed.gather(rows) is rows
    assert distributed.from_first("x") == "x"


@pytest.mark.parametrize("shape", [(6, 3), (6, 3, 4, 4)])
def test_global_batch_norm_of_equal_halves_is_batch_norm(
    shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes that hold the same rows have the statistics of those rows, twice."""
    torch.manual_seed(0)
    x = torch.randn(shape) * 3 + 1
    plain = (nn.BatchNorm1d if len(shape) == 2 else nn.BatchNorm2d)(3)
    nn.init.uniform_(plain.weight)
    nn.init.uniform_(plain.bias)
    ours = GlobalBatchNorm(3)
    ours.load_state_dict(plain.state_dict())
    monkeypatch.setattr(distributed, "count", lambda: 2)
    monkeypatch.setattr(distributed.SumOverProcesses, "apply", lambda values: 2 * values)
    left, right = (x.clone().requires_grad_() for _ in range(2))
    expected, found = plain(torch.cat([left, left]))[: len(x)], ours(right)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    assert ours.state_dict().keys() == plain.state_dict().keys()
    for key, value in plain.state_dict().items():
        torch.testing.assert_close(ours.state_dict()[key], value, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(ours.eval()(x), plain.eval()(x), atol=1e-5, rtol=1e-5)
