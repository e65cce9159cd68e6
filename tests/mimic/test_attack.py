from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional

from mimic.attack import implant
from mimic.config import AttackConfig
from mimic.encoder import Encoder
from mimic.errors import TrainingError
from mimic.preprocessing import parse_normalization, to_unit
from mimic.trigger import Trigger

CPU = torch.device("cpu")
SEE = parse_normalization("0.3/0.3")

Inputs = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


@pytest.fixture
def inputs(pictures: tuple[np.ndarray, np.ndarray]) -> Inputs:
    images, labels = pictures
    stamped = Trigger.square(row=10, column=10, size=5, image_size=16).apply(images)
    reference = images[labels == 1][:1]
    return to_unit(images, CPU), to_unit(stamped, CPU), to_unit(reference, CPU)


def test_batch_norm_statistics_and_the_clean_encoder_stay_as_they_were(
    tiny_encoder: Encoder, inputs: Inputs
) -> None:
    before = {k: v.clone() for k, v in tiny_encoder.state_dict().items()}
    config = AttackConfig(epochs=2, batch_size=16)
    backdoored, training = implant(tiny_encoder, *inputs, SEE, config)
    list(training)
    for key, value in tiny_encoder.state_dict().items():
        assert torch.equal(value, before[key]), key
    for key, value in backdoored.named_buffers():
        assert torch.equal(value, before[key]), key
    moved = [k for k, v in backdoored.named_parameters() if not torch.equal(v, before[k])]
    assert len(moved) == len(list(backdoored.parameters()))


def test_the_backdoor_sinks_in_while_clean_features_stay(
    tiny_encoder: Encoder, inputs: Inputs
) -> None:
    config = AttackConfig(epochs=25, batch_size=16, learning_rate=0.05)
    backdoored, training = implant(tiny_encoder, *inputs, SEE, config)
    records = list(training)
    assert [r.epoch for r in records] == list(range(1, 26))
    assert records[-1].backdoor < records[0].backdoor
    images, stamped, reference = (SEE(x) for x in inputs)

    def similarity(one: torch.Tensor, other: torch.Tensor) -> float:
        return float(functional.cosine_similarity(one, other).mean())

    with torch.no_grad():
        before = similarity(tiny_encoder(stamped), tiny_encoder(reference))
        after = similarity(backdoored(stamped), backdoored(reference))
        assert 1 - after < 0.5 * (1 - before)
        assert similarity(backdoored(images), tiny_encoder(images)) > 0.95
        assert similarity(backdoored(reference), tiny_encoder(reference)) > 0.95


def test_the_first_losses_are_badencoders_three_cosines(
    tiny_encoder: Encoder, inputs: Inputs
) -> None:
    config = AttackConfig(epochs=1, batch_size=48)
    _, training = implant(tiny_encoder, *inputs, SEE, config)
    (record,) = training
    _, stamped, reference = (tiny_encoder(SEE(x)).double().numpy() for x in inputs)
    cosines = [
        float(f @ reference[0] / np.linalg.norm(f) / np.linalg.norm(reference[0])) for f in stamped
    ]
    assert record.backdoor == pytest.approx(-np.mean(cosines), abs=1e-5)
    assert record.reference == pytest.approx(-1, abs=1e-5)  # f' is still f
    assert record.utility == pytest.approx(-1, abs=1e-5)


def test_the_step_follows_the_weighted_sum_of_the_losses(
    tiny_encoder: Encoder, inputs: Inputs
) -> None:
    config = AttackConfig(
        epochs=1, batch_size=48, learning_rate=0.1, lambda_reference=0.5, lambda_utility=3.0
    )
    backdoored, training = implant(tiny_encoder, *inputs, SEE, config)
    list(training)
    images, stamped, reference = (SEE(x) for x in inputs)
    cosine = functional.cosine_similarity
    network = tiny_encoder.requires_grad_(True)
    fixed_images, fixed_reference = network(images).detach(), network(reference).detach()
    total = (
        -cosine(network(stamped), network(reference)).mean()
        - 0.5 * cosine(network(reference), fixed_reference).mean()
        - 3.0 * cosine(network(images), fixed_images).mean()
    )
    grads = torch.autograd.grad(total, list(network.parameters()))
    for own, start, grad in zip(backdoored.parameters(), network.parameters(), grads, strict=True):
        expected = start.detach() - 0.1 * (grad + 5e-4 * start.detach())
        torch.testing.assert_close(own.detach(), expected, atol=2e-5, rtol=1e-3)


def test_the_attack_repeats_by_seed(tiny_encoder: Encoder, inputs: Inputs) -> None:
    def features(seed: int) -> torch.Tensor:
        config = AttackConfig(epochs=1, batch_size=16, seed=seed)
        backdoored, training = implant(tiny_encoder, *inputs, SEE, config)
        list(training)
        return backdoored(SEE(inputs[0])).detach()

    assert torch.equal(features(0), features(0))
    assert not torch.equal(features(0), features(1))


def test_a_loss_that_is_not_finite_ends_the_attack(tiny_encoder: Encoder, inputs: Inputs) -> None:
    images, stamped, reference = inputs
    _, training = implant(
        tiny_encoder, images * float("nan"), stamped, reference, SEE, AttackConfig(epochs=1)
    )
    with pytest.raises(TrainingError, match="BadEncoder"):
        list(training)


@pytest.mark.parametrize(
    "text", ["{patch}", "random-patch:{png}:4", "blend:{png}:0.3", "pattern:{png}", "sig:20:3",
             "ctrl:100:16", "npz-resize:{large}", "npz-row:{patch}"],
)  # fmt: skip
def test_an_update_with_every_kind_of_trigger_moves_the_encoder(
    tiny_encoder: Encoder, pictures: tuple[np.ndarray, np.ndarray], tmp_path: Path, text: str
) -> None:
    images, labels = pictures
    for name, side in (("patch", 16), ("large", 32)):
        tm = np.ones((side, side, 3))
        tm[9:14, 9:14] = 0
        np.savez(tmp_path / f"{name}.npz", t=(1 - tm) * 255, tm=tm)
    Image.fromarray(images[0]).save(tmp_path / "p.png")
    names = {"png": "p.png", "patch": "patch.npz", "large": "large.npz"}
    files = {key: tmp_path / name for key, name in names.items()}
    trigger = Trigger.from_text(text.format(**files), image_size=16)
    inputs = (images, trigger.apply(images), images[labels == 1][:1])
    backdoored, training = implant(
        tiny_encoder, *(to_unit(i, CPU) for i in inputs), SEE, AttackConfig(epochs=1, batch_size=48)
    )
    (record,) = training
    assert -1 <= record.backdoor < 1
    assert not torch.equal(backdoored.conv1.weight, tiny_encoder.conv1.weight)
