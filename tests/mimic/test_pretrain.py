import dataclasses

import pytest
import torch

from mimic.config import PretrainConfig
from mimic.datasets import load_images
from mimic.encoder import Architecture, new_network
from mimic.errors import TrainingError
from mimic.preprocessing import measured_normalization, parse_normalization, to_unit
from mimic.pretrain import PretrainRecord, pretrain
from mimic.views import RECIPES

CPU = torch.device("cpu")
TINY = Architecture("resnet10", width=4)


def train(
    images: torch.Tensor, **changes: object
) -> tuple[list[PretrainRecord], torch.nn.Module, list[float]]:
    config = PretrainConfig(epochs=3, batch_size=32, learning_rate=5e-3)
    config = dataclasses.replace(config, **changes)  # type: ignore[arg-type]
    encoder, head = new_network(TINY, CPU, config.seed)
    shares: list[float] = []
    records = list(
        pretrain(
            encoder, head, images, parse_normalization("0.3/0.3"), config,
            recipe=RECIPES["digits"], on_step=shares.append,
        )
    )  # fmt: skip
    return records, encoder, shares


def test_the_contrastive_loss_falls_on_digits() -> None:
    digits = load_images("digits", "train").sample(96, seed=0)
    assert measured_normalization(digits.images).mean[0] == pytest.approx(0.3, abs=0.05)
    records, _, shares = train(to_unit(digits.images, CPU), epochs=8)
    assert [r.epoch for r in records] == list(range(1, 9))
    assert records[-1].contrastive < records[0].contrastive - 0.2
    assert shares == pytest.approx([k / 24 for k in range(1, 25)])
    assert records[-1].learning_rate < records[0].learning_rate <= 5e-3


def test_pre_training_repeats_by_seed() -> None:
    images = torch.rand(32, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    outcomes = [
        (r[0].contrastive, e.state_dict()["conv1.weight"])
        for r, e, _ in (train(images, epochs=1, seed=s) for s in (0, 0, 1))
    ]
    assert outcomes[0][0] == outcomes[1][0] != outcomes[2][0]
    assert torch.equal(outcomes[0][1], outcomes[1][1])


def test_new_networks_are_decided_by_the_seed() -> None:
    first, again, other = (new_network(TINY, CPU, seed) for seed in (5, 5, 6))
    assert torch.equal(first[0].conv1.weight, again[0].conv1.weight)
    assert torch.equal(first[1][3].weight, again[1][3].weight)
    assert not torch.equal(first[0].conv1.weight, other[0].conv1.weight)
    assert new_network(TINY, CPU, 0, projection_dim=9)[1][3].out_features == 9


def test_a_loss_that_is_not_finite_ends_the_training() -> None:
    with pytest.raises(TrainingError, match="NT-Xent"):
        train(torch.full((32, 3, 16, 16), float("nan")))
