"""Students of every kind train as ResNets do: resumable, splittable, on one path or the other."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from mimic import distributed
from mimic.config import DistillConfig
from mimic.encoder import Architecture, Encoder, build_encoder
from mimic.mitigation import Distillation, EpochRecord, distill
from mimic.preprocessing import Preprocessing, parse_normalization
from mimic.update import Objective, split_gradient
from mimic.views import RECIPES
from tests.mimic.encoder.conftest import KINDS

CPU = torch.device("cpu")
SEE = parse_normalization("imagenet")
WEIGHTS = {"stem": 2.0, "layer2": 5.0, "layer4": 3.0}


@pytest.fixture(params=[kind for kind in KINDS if kind != "resnet"])  # tests of mitigation have it
def architecture(request: pytest.FixtureRequest) -> Architecture:
    return KINDS[request.param]


def begin(teacher: Encoder, **changes: Any) -> tuple[Distillation, DistillConfig]:
    settings = {"epochs": 3, "batch_size": 16, "learning_rate": 1e-3, "seed": 3} | changes
    config = DistillConfig(**settings)
    return Distillation.begin(teacher, config, CPU, projection_dim=8), config


def train(
    teacher: Encoder,
    state: Distillation,
    config: DistillConfig,
    images: np.ndarray,
    epochs: int = 3,
) -> list[EpochRecord]:
    units = Preprocessing(SEE, teacher.architecture.input_size).unit(images[:32], CPU)
    records = distill(
        teacher, units, state, config, weights=WEIGHTS, normalization=SEE, recipe=RECIPES["digits"]
    )
    return [record for _, record in zip(range(epochs), records, strict=False)]


def test_r3_a_resumed_student_of_any_kind_equals_an_uninterrupted_one(
    encoder: Encoder, pictures: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    whole, config = begin(encoder)
    expected = train(encoder, whole, config, pictures[0])
    first, _ = begin(encoder)
    train(encoder, first, config, pictures[0], epochs=1)
    first.save(tmp_path / "state.safetensors")
    resumed, _ = begin(encoder)
    resumed.restore(tmp_path / "state.safetensors")
    rest = train(encoder, resumed, config, pictures[0])
    assert [r.loss for r in rest] == [r.loss for r in expected[1:]]
    for ours, theirs in ((resumed.student, whole.student), (resumed.head, whole.head)):
        state = theirs.state_dict()
        assert all(torch.equal(value, state[key]) for key, value in ours.state_dict().items())


def test_the_fast_path_follows_the_reference(
    encoder: Encoder, pictures: tuple[np.ndarray, np.ndarray]
) -> None:
    losses = []
    for reference in (False, True):
        state, config = begin(encoder, reference=reference)
        records = train(encoder, state, config, pictures[0])
        losses.append([record.loss for record in records])
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)
    assert len(set(losses[0])) == 3


@pytest.mark.parametrize("kind", ["vit", "vit with registers"])
def test_split_batches_give_a_transformer_the_same_gradient(kind: str) -> None:
    # Without batch-norm in the student, only the head's could differ; the clone loss leaves it out.
    torch.manual_seed(0)
    teacher = build_encoder(KINDS[kind]).eval().requires_grad_(False)
    state, config = begin(teacher, contrastive_weight=0.0)
    objective = Objective(state.student, state.head, teacher, WEIGHTS, config, torch.float32)
    images = torch.randn(16, 3, 16, 16)
    gradients = []
    for parts in (1, 4):
        objective.zero_grad()
        split_gradient(objective, images, parts)
        gradients.append(
            {k: p.grad.clone() for k, p in state.student.named_parameters() if p.grad is not None}
        )
    assert gradients[0].keys() == gradients[1].keys()
    assert "blocks.0.attn.qkv.weight" in gradients[0]
    for name, gradient in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], gradient, atol=1e-5, rtol=1e-3)


def test_several_processes_share_whatever_batch_norm_there_is(
    encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distributed, "count", lambda: 2)
    names = list(encoder.state_dict())
    norms = sum(isinstance(m, nn.BatchNorm2d) for m in encoder.modules())
    shared = distributed.share_batch_norm(encoder)
    assert list(shared.state_dict()) == names
    assert not any(isinstance(m, nn.BatchNorm2d) for m in shared.modules())
    assert sum(isinstance(m, distributed.GlobalBatchNorm) for m in shared.modules()) == norms
    assert (norms == 0) == (encoder.architecture.kind == "vit")
