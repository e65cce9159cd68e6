"""What holds for the layers of every kind of encoder."""

import pytest
import torch

from mimic.activations import record_activations
from mimic.encoder import Architecture, Encoder, new_network
from mimic.errors import ConfigError
from tests.mimic.encoder.conftest import KINDS, side

LAYERS = ("stem", "layer1", "layer2", "layer3", "layer4")


def test_every_encoder_has_the_same_layers(encoder: Encoder) -> None:
    assert encoder.layer_names() == LAYERS
    blocks = [name for name in encoder.layer_names(blocks=True) if "." in name]
    assert len(blocks) == sum(encoder.architecture.blocks)
    for name in encoder.layer_names(blocks=True):
        encoder.layer(name)
    for unknown in ("layer0", "layer5", "layer1.9", "blocks.0", "layer"):
        with pytest.raises(ConfigError, match="Its layers are stem, "):
            encoder.layer_parameters(unknown)


def test_activations_are_maps_of_all_channels(encoder: Encoder) -> None:
    images = torch.randn(2, 3, side(encoder.architecture), side(encoder.architecture))
    with record_activations(encoder, encoder.layer_names(blocks=True)) as recorded:
        features = encoder(images)
    assert features.shape == (2, encoder.architecture.feature_dim)
    assert features.std(0).max() > 1e-3
    for name, activation in recorded.items():
        assert activation.ndim == 4, name
        assert activation.shape[0] == 2
        assert activation.shape[2] == activation.shape[3]
        assert (activation[0] - activation[1]).abs().max() > 0
    for stage, count in enumerate(encoder.architecture.blocks, start=1):
        last = recorded[f"layer{stage}.{count - 1}"]
        assert torch.equal(recorded[f"layer{stage}"], last)


def test_parameters_are_counted_once(encoder: Encoder) -> None:
    assert encoder.layer_parameters("layer2") == sum(
        encoder.layer_parameters(f"layer2.{i}") for i in range(encoder.architecture.blocks[1])
    )
    behind = ("norm.", "fc_norm.", "attnpool.")
    counted = sum(encoder.layer_parameters(name) for name in LAYERS)
    others = [p for name, p in encoder.named_parameters() if name.startswith(behind)]
    assert counted == sum(p.numel() for p in encoder.parameters()) - sum(p.numel() for p in others)
    assert min(encoder.layer_parameters(name) for name in LAYERS) > 0


@pytest.mark.parametrize("kind", ["clip", "vit"])
def test_images_of_another_size_are_refused(kind: str) -> None:
    network, _ = new_network(KINDS[kind], torch.device("cpu"), seed=0)
    with pytest.raises(ConfigError, match=f"takes images of {side(KINDS[kind])}x"):
        network(torch.zeros(1, 3, 24, 24))


def test_a_new_network_is_decided_by_its_seed(architecture: Architecture) -> None:
    cpu = torch.device("cpu")
    (one, head), (same, _), (other, _) = (
        new_network(architecture, cpu, seed) for seed in (1, 1, 2)
    )
    images = torch.randn(4, 3, side(architecture), side(architecture))
    with torch.no_grad():
        features, again, different = (network.eval()(images) for network in (one, same, other))
    assert torch.equal(features, again)
    assert not torch.allclose(features, different)
    assert features.isfinite().all()
    assert features.std(0).max() > 1e-4  # It does tell images apart.
    assert head(features).shape == (4, head.projection_dim)


def test_every_parameter_of_a_student_is_trained(architecture: Architecture) -> None:
    network, _ = new_network(architecture, torch.device("cpu"), seed=0)
    for name, parameter in network.named_parameters():
        if name.endswith("bn3.weight"):  # CLIP's branches begin at 0 and so hide what is before.
            torch.nn.init.ones_(parameter)
    network(torch.randn(4, 3, side(architecture), side(architecture))).square().sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
