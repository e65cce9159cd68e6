import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from mimic.config import DistillConfig
from mimic.encoder import Encoder
from mimic.errors import ConfigError, RunError, TrainingError
from mimic.losses import attention_loss, clone_loss, nt_xent_loss
from mimic.mitigation import Distillation, EpochRecord, distill
from mimic.preprocessing import parse_normalization, to_unit
from mimic.training import batches
from mimic.views import RECIPES, random_views

CPU = torch.device("cpu")
SEE = parse_normalization("0.3/0.3")
WEIGHTS = {"layer2": 5.0, "layer4": 3.0}
CONFIG = DistillConfig(epochs=2, batch_size=16, learning_rate=3e-3, seed=3)


@pytest.fixture
def images(pictures: tuple[np.ndarray, np.ndarray]) -> torch.Tensor:
    return to_unit(pictures[0], CPU)  # 48 images: 3 updates an epoch


def begin(teacher: Encoder, **changes: Any) -> tuple[Distillation, DistillConfig]:
    config = dataclasses.replace(CONFIG, **changes)
    return Distillation.begin(teacher, config, CPU, projection_dim=8), config


def training(
    teacher: Encoder,
    images: torch.Tensor,
    state: Distillation,
    config: DistillConfig,
    weights: dict[str, float] = WEIGHTS,
) -> Iterator[EpochRecord]:
    return distill(
        teacher, images, state, config, weights=weights, normalization=SEE,
        recipe=RECIPES["digits"],
    )  # fmt: skip


def snapshot(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {key: value.clone() for key, value in module.state_dict().items()}


def assert_same(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> None:
    assert left.keys() == right.keys()
    for key, value in left.items():
        assert torch.equal(value, right[key]), key


def without_seconds(records: list[EpochRecord]) -> list[EpochRecord]:
    return [dataclasses.replace(record, seconds=0.0) for record in records]


def test_the_teacher_keeps_weights_statistics_and_gets_no_gradient(
    tiny_encoder: Encoder, images: torch.Tensor
) -> None:
    teacher = tiny_encoder.requires_grad_(True)
    before = snapshot(teacher)
    state, config = begin(teacher)
    untrained = snapshot(state.student)
    list(training(teacher, images, state, config))
    assert_same(snapshot(teacher), before)
    assert all(p.grad is None for p in teacher.parameters())
    moved = [k for k, v in state.student.state_dict().items() if not torch.equal(v, untrained[k])]
    assert len(moved) == len(untrained)


def test_each_step_costs_one_teacher_and_one_student_pass(
    tiny_encoder: Encoder, images: torch.Tensor
) -> None:
    state, config = begin(tiny_encoder)
    sizes: dict[str, list[int]] = {"teacher": [], "student": []}
    for name, network in (("teacher", tiny_encoder), ("student", state.student)):
        network.register_forward_pre_hook(lambda _m, x, name=name: sizes[name].append(len(x[0])))
    list(training(tiny_encoder, images, state, config))
    assert sizes["teacher"] == [16] * 6  # 2 epochs of 3 batches; the first view only
    assert sizes["student"] == [32] * 6  # both views in one pass


def test_the_recorded_terms_are_those_of_a_step_done_by_hand(
    tiny_encoder: Encoder, images: torch.Tensor
) -> None:
    changes = {"epochs": 1, "batch_size": 48, "contrastive_weight": 0.7, "clone_weight": 2.0,
               "attention_weight": 0.5, "temperature": 0.3}  # fmt: skip
    state, config = begin(tiny_encoder, **changes)
    twin, _ = begin(tiny_encoder, **changes)
    (record,) = training(tiny_encoder, images, state, config)

    (index,) = batches(48, 48, twin.random)
    views = [random_views(images[index], RECIPES["digits"], twin.random) for _ in range(2)]
    x = SEE(torch.cat(views))

    def stages(network: Encoder, inputs: torch.Tensor) -> dict[str, torch.Tensor]:
        out = torch.relu(network.bn1(network.conv1(inputs)))
        found = {}
        for name in ("layer1", "layer2", "layer3", "layer4"):
            out = found[name] = network.get_submodule(name)(out)
        return found

    with torch.no_grad():
        student = stages(twin.student.train(), x)
        features = student["layer4"].mean((2, 3))
        teacher = stages(tiny_encoder, x[:48])
        projected = twin.head.train()(features)
        maps = {k: float(attention_loss(student[k][:48], teacher[k])) for k in WEIGHTS}
        contrastive = 0.7 * float(nt_xent_loss(*projected.chunk(2), temperature=0.3))
        clone = 2.0 * float(clone_loss(features[:48], teacher["layer4"].mean((2, 3))))
    attention = 0.5 * (5 * maps["layer2"] + 3 * maps["layer4"])
    assert record.attention_by_layer == pytest.approx(maps, rel=1e-4)
    assert record.contrastive == pytest.approx(contrastive, rel=1e-4)
    assert record.clone == pytest.approx(clone, rel=1e-3, abs=1e-4)
    assert record.attention == pytest.approx(attention, rel=1e-4)
    assert record.loss == pytest.approx(contrastive + attention + clone, rel=1e-4)


def test_a_resumed_training_equals_an_uninterrupted_one_bit_for_bit(
    tiny_encoder: Encoder, images: torch.Tensor, tmp_path: Path
) -> None:
    whole, config = begin(tiny_encoder, epochs=4)
    expected = list(training(tiny_encoder, images, whole, config))

    first, _ = begin(tiny_encoder, epochs=4)
    started = training(tiny_encoder, images, first, config)
    records = [next(started), next(started)]
    first.save(tmp_path / "state.safetensors")
    del started, first
    torch.manual_seed(99)  # Global randomness must not matter.
    resumed, _ = begin(tiny_encoder, epochs=4)
    resumed.restore(tmp_path / "state.safetensors")
    assert resumed.epoch == 2
    records += training(tiny_encoder, images, resumed, config)

    assert without_seconds(records) == without_seconds(expected)
    assert_same(snapshot(resumed.student), snapshot(whole.student))
    assert_same(snapshot(resumed.head), snapshot(whole.head))
    assert torch.equal(resumed.random.get_state(), whole.random.get_state())


def test_the_seed_decides_the_result(tiny_encoder: Encoder, images: torch.Tensor) -> None:
    outcomes = []
    for seed, noise in ((3, 0), (3, 1), (4, 0)):
        torch.manual_seed(noise)
        state, config = begin(tiny_encoder, seed=seed)
        records = without_seconds(list(training(tiny_encoder, images, state, config)))
        outcomes.append((records, snapshot(state.student)))
    assert outcomes[0][0] == outcomes[1][0]
    assert_same(outcomes[0][1], outcomes[1][1])
    assert outcomes[0][0] != outcomes[2][0]


def test_training_lowers_attention_and_clone_losses(
    tiny_encoder: Encoder, images: torch.Tensor
) -> None:
    state, config = begin(tiny_encoder, epochs=12, contrastive_weight=0.0)
    records = list(training(tiny_encoder, images, state, config, {"layer4": 30.0}))
    assert [r.epoch for r in records] == list(range(1, 13))
    assert {r.epochs for r in records} == {12}
    assert records[-1].clone < records[0].clone - 0.02
    assert records[-1].attention < 0.9 * records[0].attention


def test_switched_off_losses_are_zero_and_leave_the_others_alone(
    tiny_encoder: Encoder, images: torch.Tensor
) -> None:
    for name in ("contrastive", "attention", "clone"):
        state, config = begin(tiny_encoder, epochs=1, **{f"{name}_weight": 0.0})
        (record,) = training(tiny_encoder, images, state, config)
        terms = {n: getattr(record, n) for n in ("contrastive", "attention", "clone")}
        assert terms.pop(name) == 0
        assert all(value != 0 for value in terms.values())
        assert record.loss == pytest.approx(sum(terms.values()), rel=1e-5)
    assert set(record.attention_by_layer) == set(WEIGHTS)


def test_layers_without_weight_are_not_recorded(
    tiny_encoder: Encoder, images: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    import mimic.mitigation as module

    asked: list[set[str]] = []
    original = module.record_activations

    def spy(encoder: Encoder, layers: Any) -> Any:
        asked.append(set(layers))
        return original(encoder, layers)

    monkeypatch.setattr(module, "record_activations", spy)
    state, config = begin(tiny_encoder, epochs=1)
    (record,) = training(tiny_encoder, images, state, config, {"layer1": 0.0, "layer3": 2.0})
    assert set(record.attention_by_layer) == {"layer3"}
    assert {frozenset(names) for names in asked} == {frozenset({"layer3"})}
    asked.clear()
    state, config = begin(tiny_encoder, epochs=1, attention_weight=0.0)
    (record,) = training(tiny_encoder, images, state, config)
    assert record.attention_by_layer == {}
    assert all(names == set() for names in asked)


def test_no_hook_is_left_on_either_network(tiny_encoder: Encoder, images: torch.Tensor) -> None:
    state, config = begin(tiny_encoder, epochs=1)
    list(training(tiny_encoder, images, state, config))
    for network in (tiny_encoder, state.student):
        assert not any(module._forward_hooks for module in network.modules())


def test_a_loss_that_is_not_finite_ends_the_training(
    tiny_encoder: Encoder, images: torch.Tensor
) -> None:
    state, config = begin(tiny_encoder)
    with pytest.raises(TrainingError, match="no longer a finite number at epoch 1"):
        list(training(tiny_encoder, images * float("nan"), state, config))
    assert state.epoch == 0


def test_a_weight_on_an_unknown_layer_is_refused(
    tiny_encoder: Encoder, images: torch.Tensor
) -> None:
    state, config = begin(tiny_encoder)
    with pytest.raises(ConfigError, match="no layer 'layer9'"):
        list(training(tiny_encoder, images, state, config, {"layer9": 1.0}))


def test_learning_rates_follow_the_schedule_and_progress_is_told(
    tiny_encoder: Encoder, images: torch.Tensor
) -> None:
    state, config = begin(tiny_encoder, schedule="constant")
    shares: list[float] = []
    records = list(
        distill(
            tiny_encoder, images, state, config, weights=WEIGHTS, normalization=SEE,
            recipe=RECIPES["digits"], on_step=shares.append,
        )
    )  # fmt: skip
    assert [r.learning_rate for r in records] == [3e-3, 3e-3]
    assert shares == pytest.approx([k / 6 for k in range(1, 7)])


def test_damaged_and_foreign_checkpoints_are_refused(tiny_encoder: Encoder, tmp_path: Path) -> None:
    state, _ = begin(tiny_encoder)
    path = tmp_path / "state.safetensors"
    state.save(path)
    whole = path.read_bytes()
    for content in (b"", whole[:20], whole[: len(whole) // 2], b"no tensors"):
        path.write_bytes(content)
        with pytest.raises(RunError, match="checkpoint is damaged"):
            state.restore(path)
    path.write_bytes(whole)
    other = Distillation.begin(tiny_encoder, CONFIG, CPU, projection_dim=9)
    with pytest.raises(RunError):
        other.restore(path)
    with pytest.raises(RunError):
        state.restore(tmp_path / "absent")


def test_a_state_begun_on_another_kind_of_device_is_refused_by_name(
    tiny_encoder: Encoder, tmp_path: Path
) -> None:
    state, _ = begin(tiny_encoder)
    path = tmp_path / "state.safetensors"
    state.save(path)
    tensors = safetensors.torch.load_file(path)
    safetensors.torch.save_file(tensors, path, metadata={"epoch": "1", "random": "cuda"})
    with pytest.raises(RunError, match="begun on cuda"):
        state.restore(path)
