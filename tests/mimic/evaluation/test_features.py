import numpy as np
import pytest
import torch

from mimic.encoder import Encoder
from mimic.evaluation import extract_activations, extract_features
from mimic.preprocessing import Preprocessing, parse_normalization

CPU = torch.device("cpu")
SEE = Preprocessing(parse_normalization("0.4/0.3"))


def images(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 16, 16, 3)).astype(np.uint8)


def test_features_of_many_batches_equal_one_pass(tiny_encoder: Encoder) -> None:
    stored = images(300)
    whole = tiny_encoder((torch.from_numpy(stored).permute(0, 3, 1, 2) / 255 - 0.4) / 0.3)
    features = extract_features(tiny_encoder, stored, SEE, device=CPU)
    assert features.dtype == torch.float32
    torch.testing.assert_close(features, whole, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("training", [True, False])
def test_mode_and_statistics_are_kept(tiny_encoder: Encoder, training: bool) -> None:
    tiny_encoder.train(training)
    before = {k: v.clone() for k, v in tiny_encoder.state_dict().items()}
    extract_features(tiny_encoder, images(4), SEE, device=CPU)
    extract_activations(tiny_encoder, images(4), SEE, layers=["layer1"], device=CPU)
    with pytest.raises(RuntimeError):
        extract_features(tiny_encoder, images(4)[..., :2], SEE, device=CPU)
    assert tiny_encoder.training is training
    for key, value in tiny_encoder.state_dict().items():
        assert torch.equal(value, before[key]), key


@pytest.mark.parametrize("pool", [0, 1, 2])
def test_activations_are_cell_means_of_the_maps(tiny_encoder: Encoder, pool: int) -> None:
    stored = images(3)
    maps = {}
    x = SEE(stored, CPU)
    maps["stem"] = torch.relu(tiny_encoder.bn1(tiny_encoder.conv1(x)))
    maps["layer1"] = tiny_encoder.layer1(maps["stem"])
    maps["layer2"] = tiny_encoder.layer2(maps["layer1"])
    activations, features = extract_activations(
        tiny_encoder, stored, SEE, layers=list(maps), device=CPU, pool=pool
    )
    torch.testing.assert_close(features, tiny_encoder(x))
    for name, full in maps.items():
        expected = full.numpy()
        if pool:
            n, c, h, w = expected.shape
            expected = expected.reshape(n, c, pool, h // pool, pool, w // pool).mean((3, 5))
        np.testing.assert_allclose(
            activations[name].numpy(), expected.reshape(3, -1), atol=1e-5, rtol=1e-4
        )


def test_maps_smaller_than_the_pool_are_kept(tiny_encoder: Encoder) -> None:
    activations, _ = extract_activations(
        tiny_encoder, images(2), SEE, layers=["layer4"], device=CPU, pool=4
    )
    assert activations["layer4"].shape == (2, 32 * 2 * 2)
