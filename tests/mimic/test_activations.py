import pytest
import torch
from torch import nn
from torch.nn import functional

from mimic.activations import record_activations
from mimic.encoder import Encoder
from mimic.errors import ConfigError


def hooks(network: nn.Module) -> int:
    return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in network.modules())


def test_recorded_activations_equal_a_manual_forward_pass(tiny_encoder: Encoder) -> None:
    torch.manual_seed(0)
    images = torch.randn(2, 3, 16, 16)
    x = functional.relu(tiny_encoder.bn1(tiny_encoder.conv1(images)))
    expected = {"stem": x}
    for name in ("layer1", "layer2", "layer3", "layer4"):
        (block,) = tiny_encoder.get_submodule(name)
        y = functional.relu(block.bn1(block.conv1(x)))
        y = block.bn2(block.conv2(y))
        x = functional.relu(y + (x if block.downsample is None else block.downsample(x)))
        expected[name] = expected[f"{name}.0"] = x
    with record_activations(tiny_encoder, expected) as recorded:
        features = tiny_encoder(images)
    assert set(recorded) == set(expected)
    for name, activation in expected.items():
        torch.testing.assert_close(recorded[name], activation)
    torch.testing.assert_close(features, x.mean(dim=(2, 3)))


def test_every_forward_pass_refills_the_record(tiny_encoder: Encoder) -> None:
    with record_activations(tiny_encoder, ["layer2"]) as recorded:
        tiny_encoder(torch.zeros(1, 3, 16, 16))
        first = recorded["layer2"]
        tiny_encoder(torch.ones(3, 3, 16, 16))
        assert recorded["layer2"].shape[0] == 3
        assert first.shape[0] == 1


def test_no_hook_outlives_the_block_even_on_an_error(tiny_encoder: Encoder) -> None:
    names = tiny_encoder.layer_names()
    with record_activations(tiny_encoder, names):
        assert hooks(tiny_encoder) == len(names)
    assert hooks(tiny_encoder) == 0

    def fail_inside() -> None:
        with record_activations(tiny_encoder, names):
            raise RuntimeError("stop here")

    with pytest.raises(RuntimeError, match="stop here"):
        fail_inside()
    assert hooks(tiny_encoder) == 0
    with (
        pytest.raises(RuntimeError),
        record_activations(tiny_encoder, names),
    ):
        tiny_encoder(torch.zeros(1, 5, 16, 16))
    assert hooks(tiny_encoder) == 0


def test_an_unknown_layer_is_refused_and_leaves_no_hook(tiny_encoder: Encoder) -> None:
    with (
        pytest.raises(ConfigError, match="no layer 'layer9'"),
        record_activations(tiny_encoder, ["layer1", "layer9"]),
    ):
        pytest.fail("the block must not be entered")
    assert hooks(tiny_encoder) == 0
