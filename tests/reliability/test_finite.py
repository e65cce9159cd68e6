"""R6: a training stops at the update that meets a NaN, and nothing after it is saved or scored."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from mimic.config import DistillConfig
from mimic.errors import TrainingError
from mimic.finiteness import Answer, Finiteness, non_finite
from mimic.run import Checkpoints
from mimic.training_state import Distillation
from mimic.update import Objective
from mimic.verbs import distill as verb
from mimic.verbs import execute
from tests.conftest import make_encoder
from tests.reliability.conftest import Jobs

PER_EPOCH = 3


def watched() -> tuple[torch.Tensor, Finiteness]:
    weight = torch.ones(3, requires_grad=True)
    weight.grad = torch.ones(3)
    return weight, Finiteness([weight], "a test")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("quantity", ["feature", "loss", "gradient"])
def test_r6_each_quantity_is_looked_at_and_named(quantity: str, value: float) -> None:
    weight, finiteness = watched()
    good, bad = torch.ones(4), torch.tensor([1.0, value, 0.0, 2.0])
    finiteness.look(1, 1, features=good, loss=good)
    assert weight.grad is not None
    if quantity == "gradient":
        weight.grad[1] = value
    named = {"features": good, "loss": good} | (
        {} if quantity == "gradient" else {{"feature": "features"}.get(quantity, quantity): bad}
    )
    with pytest.raises(TrainingError, match=f"{quantity} is no longer a finite number") as caught:
        finiteness.look(2, 7, **named)
    assert "epoch 2, non-finite at step 7 (a test)" in caught.value.cause


def test_r6_the_first_quantity_of_an_update_is_blamed() -> None:
    _, finiteness = watched()
    bad = torch.tensor(float("nan"))
    with pytest.raises(TrainingError, match="A feature is no longer"):
        finiteness.look(1, 1, features=bad, loss=bad)


class Event:
    """Stands for a CUDA event: has an answer arrived at the host?"""

    def __init__(self) -> None:
        self.arrived = self.waited_for = False

    def query(self) -> bool:
        return self.arrived

    def synchronize(self) -> None:
        self.waited_for = not self.arrived


def test_r6_answers_of_an_accelerator_are_read_as_they_arrive_and_all_at_the_end() -> None:
    _, finiteness = watched()
    good, bad = torch.tensor([True, True, True]), torch.tensor([True, False, True])
    events = [Event() for _ in range(3)]
    for step, (event, answer) in enumerate(zip(events, (good, good, bad), strict=True), start=1):
        finiteness.pending.append(Answer(1, step, answer, event))  # type: ignore[arg-type]
    assert not finiteness._has_arrived(finiteness.pending[0])
    events[0].arrived = True
    assert finiteness._has_arrived(finiteness.pending[0])
    with pytest.raises(TrainingError, match=r"The loss .* non-finite at step 3"):
        finiteness.settle()
    assert [event.waited_for for event in events] == [False, True, True]


def test_the_error_for_a_lost_loss_tells_epoch_and_remedy() -> None:
    error = non_finite(3, "NT-Xent")
    assert isinstance(error, TrainingError)
    assert error.cause == "The loss is no longer a finite number at epoch 3 (NT-Xent)."
    assert "learning rate" in error.remedy


def test_r6_a_training_ends_before_the_update_and_keeps_the_checkpoint(
    jobs: Jobs, distillation: DistillConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = jobs.make("distill", distillation)
    compare, updates, scored = Objective.compare, [], []
    bad_update = 2 * PER_EPOCH + 2  # The second update of the third epoch.

    def poisoned(objective: Objective, inputs: torch.Tensor) -> Any:
        updates.append(1)
        return compare(objective, inputs * (float("nan") if len(updates) == bad_update else 1))

    evaluation = verb.evaluation
    monkeypatch.setattr(Objective, "compare", poisoned)
    monkeypatch.setattr(verb, "evaluation", lambda *a: (scored.append(1), evaluation(*a))[1])
    with pytest.raises(TrainingError):
        execute(run)
    assert len(updates) == bad_update  # Not one more.
    status = run.status()
    assert status.state == "failed"
    assert f"epoch 3, non-finite at step {bad_update}" in status.cause
    assert scored == [1]  # Before the first epoch.
    assert run.result() is None
    assert not (run.directory / "student.safetensors").exists()
    assert [m["epoch"] for m in run.metrics()] == [0, 1, 2]
    checkpoint = Checkpoints(run).latest()
    assert checkpoint is not None
    state = Distillation.begin(make_encoder(), distillation, torch.device("cpu"), projection_dim=16)
    state.restore(checkpoint.path)
    assert state.epoch == 2
    assert all(p.isfinite().all() for p in state.parameters)


@pytest.mark.parametrize("kind", ["pretrain", "attack"])
def test_r6_the_other_trainings_stop_at_the_step_too(
    jobs: Jobs, distillation: DistillConfig, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    from mimic.config import VERB_CONFIGS

    shared = {"device": "cpu", "precision": "float32", "images": 64, "batch_size": 16, "epochs": 2}
    own = {"width": 4} if kind == "pretrain" else {"encoder": distillation.encoder}
    config = VERB_CONFIGS[kind].from_json({**shared, **own, "data": distillation.data})
    run = jobs.make(kind, config)
    gradient, looks = Finiteness.gradient, []

    def poisoned(self: Finiteness) -> torch.Tensor:
        looks.append(1)
        return gradient(self) * (float("inf") if len(looks) == 6 else 1)

    monkeypatch.setattr(Finiteness, "gradient", poisoned)
    with pytest.raises(TrainingError, match=r"A gradient .* epoch 2, non-finite at step 6"):
        execute(run)
    assert len(looks) == 6
    assert len(run.metrics()) == 1
    assert run.result() is None


@pytest.mark.slow
def test_r6_looking_costs_little(
    jobs: Jobs,
    distillation: DistillConfig,
    monkeypatch: pytest.MonkeyPatch,
    count: Callable[[str], None],
) -> None:
    """The promise is 1 %; the limit is generous, because the machine may be busy."""
    spent, look = [0.0], Finiteness.look

    def timed(self: Finiteness, *args: Any, **named: Any) -> None:
        started = time.perf_counter()
        look(self, *args, **named)
        spent[0] += time.perf_counter() - started

    monkeypatch.setattr(Finiteness, "look", timed)
    run = jobs.make("distill", replace(distillation, epochs=40, evaluate_every=100))
    execute(run)
    total = sum(m.get("seconds", 0.0) for m in run.metrics())
    count(f"R6: looking takes {spent[0] / total:.2%} of a training of 4 channels, the worst case")
    assert spent[0] < 0.2 * total
