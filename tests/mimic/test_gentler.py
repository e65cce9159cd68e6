"""Which settings a gentler cleaning changes, step by step, and when none is proposed."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from mimic import gentler
from mimic.cli import main
from mimic.config import DistillConfig
from mimic.run import Run

LAYERS = ("layer1", "layer2", "layer3", "layer4")
INTERVALS = {
    0.99: [0.98, 1.0],
    0.9: [0.87, 0.92],
    0.05: [0.03, 0.08],
    0.02: [0.01, 0.04],
    0.01: [0.0, 0.02],
}


def scored(asr: float) -> dict[str, Any]:
    return {
        "accuracy": 0.97, "accuracy_interval": [0.95, 0.98], "test_images": 359,
        "asr": asr, "asr_interval": INTERVALS[asr], "asr_all": asr, "stamped_images": 321,
    }  # fmt: skip


def outcome(weight: float = 10.0, asr: float = 0.9, **more: Any) -> dict[str, Any]:
    return {
        "weights": dict.fromkeys(LAYERS, weight), "clean_images": 52, "seconds": 20.0,
        "scores": {"teacher": scored(0.99), "student": scored(asr), "clean_twin": scored(0.01)},
        **more,
    }  # fmt: skip


def changed(before: DistillConfig, after: DistillConfig) -> set[str]:
    names = (f.name for f in dataclasses.fields(before))
    return {n for n in names if getattr(before, n) != getattr(after, n)}


def test_a_strong_and_long_cleaning_goes_back_to_what_is_recommended() -> None:
    config = DistillConfig(preset="authors", epochs=1000, seed=7)
    found = gentler.gentler(config, outcome(3_500.0))
    assert found
    assert changed(config, found.config) == {"preset", "epochs"}
    assert (found.config.preset, found.config.epochs) == ("gentle", 100)
    assert found.changes == (
        "Attention weights: 10.0 per layer on average instead of 3,500.0.",
        "Rounds (epochs): 100 instead of 1,000.",
    )
    assert found.why == (
        "Where it was measured, strong attention carried the backdoor over and a long training "
        "brought it back."
    )
    assert found.seconds == 2.0


def test_weights_by_hand_become_the_gentle_ones_of_the_same_layers() -> None:
    config = DistillConfig(weights=("layer2=900", "layer3=0"), attention_weight=0.5)
    found = gentler.gentler(config, outcome() | {"weights": {"layer2": 900.0, "layer3": 0.0}})
    assert found
    assert (found.config.layers, found.config.weights) == (("layer2",), ())
    assert found.config.attention_weight == 1.0
    assert found.changes == ("Attention weights: 31.0 per layer on average instead of 450.0.",)


def test_one_step_follows_another_until_none_that_was_measured_is_left() -> None:
    config, result = DistillConfig(epochs=100), outcome()
    first = gentler.gentler(config, result)
    assert first
    assert changed(config, first.config) == {"clone_weight"}
    second = gentler.gentler(first.config, result)
    assert second
    assert changed(first.config, second.config) == {"layers"}
    assert second.config.layers == ("layer1",)
    assert gentler.gentler(second.config, outcome() | {"weights": {"layer1": 31.0}}) is None


def test_a_cleaning_by_the_clone_loss_alone_keeps_a_loss() -> None:
    config = DistillConfig(contrastive_weight=0.0, attention_weight=0.0)
    found = gentler.gentler(config, outcome(0.0))
    assert found
    assert (found.config.clone_weight, found.config.contrastive_weight) == (0.0, 1.0)


def test_the_measured_length_of_a_built_in_subject_counts_as_recommended() -> None:
    config = DistillConfig(subject="cifar10", epochs=120)
    found = gentler.gentler(config, outcome() | {"clean_images": 2_000})
    assert found
    assert changed(config, found.config) == {"clone_weight"}
    own = gentler.gentler(DistillConfig(epochs=120), outcome() | {"clean_images": 2_000})
    assert own
    assert own.config.epochs == 100


def test_a_training_that_ended_early_is_measured_by_what_it_trained() -> None:
    config = DistillConfig(epochs=1000)
    found = gentler.gentler(config, outcome(stopped_early_at=50))
    assert found
    assert changed(config, found.config) == {"clone_weight"}


def made(root: Path, asr: float) -> Run:
    run = Run.create(root, "distill", DistillConfig(encoder="asset:demo/teacher.pth", epochs=100))
    run.write_json("result.json", outcome(asr=asr))
    return run


@pytest.mark.parametrize(("asr", "proposed"), [(0.9, True), (0.05, True), (0.02, False)])
def test_only_where_the_backdoor_was_left_in(tmp_path: Path, asr: float, proposed: bool) -> None:
    assert (gentler.after(made(tmp_path, asr)) is not None) == proposed


def test_an_unfinished_cleaning_has_none(tmp_path: Path) -> None:
    assert gentler.after(Run.create(tmp_path, "distill", DistillConfig())) is None


def test_the_verdict_in_a_terminal_names_the_same_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = made(tmp_path, 0.9)
    assert main(["verdict", run.id, "--root", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["gentler"]
    assert told["changes"] == ["Clone loss: off instead of weight 1."]
    assert "--clone-weight 0" in told["command"]
    assert main(["verdict", run.id, "--root", str(tmp_path)]) == 0
    printed = capsys.readouterr().out
    assert "Clone loss: off instead of weight 1." in printed
    assert told["command"] in printed
