import subprocess
import sys

import pytest
import timm
import torch
import torchvision
from torch import nn

from mimic.encoder import (
    DEPTHS,
    Architecture,
    ProjectionHead,
    build_encoder,
    default_projection_dim,
)
from mimic.errors import ConfigError


def shuffle_statistics(network: nn.Module) -> None:
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.2, 0.2)


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50"])
def test_features_equal_torchvisions_with_the_same_weights(name: str) -> None:
    torch.manual_seed(0)
    theirs = getattr(torchvision.models, name)(weights=None)
    theirs.fc = nn.Identity()
    shuffle_statistics(theirs)
    ours = build_encoder(Architecture(name, width=64, stem="imagenet"))
    ours.load_state_dict(theirs.state_dict())  # Names and shapes are torchvision's.
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        expected, features = theirs.eval()(images), ours.eval()(images)
    assert features.shape == (2, ours.architecture.feature_dim)
    scale = expected.abs().mean()
    torch.testing.assert_close(features / scale, expected / scale, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_features_equal_timms_with_the_same_weights(name: str) -> None:
    torch.manual_seed(0)
    theirs = timm.create_model(name, pretrained=False, num_classes=0)
    shuffle_statistics(theirs)
    ours = build_encoder(Architecture(name, stem="imagenet"))
    ours.load_state_dict(theirs.state_dict())
    images = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        expected, features = theirs.eval()(images), ours.eval()(images)
    scale = expected.abs().mean()
    torch.testing.assert_close(features / scale, expected / scale, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", DEPTHS)
def test_feature_lengths_are_as_announced(name: str) -> None:
    if name in ("resnet101", "resnet152"):
        with torch.device("meta"):
            encoder = build_encoder(Architecture(name, width=2))
        assert len(encoder.layer3) == {"resnet101": 23, "resnet152": 36}[name]
        return
    architecture = Architecture(name, width=2)
    features = build_encoder(architecture).eval()(torch.zeros(1, 3, 16, 16))
    assert features.shape == (1, architecture.feature_dim)
    assert architecture.feature_dim == (64 if name == "resnet50" else 16)


def test_small_image_stems_keep_the_resolution() -> None:
    encoder = build_encoder(Architecture("resnet10", width=2))
    stem = encoder.layer("stem")(encoder.conv1(torch.zeros(1, 3, 16, 16)))
    assert stem.shape == (1, 2, 16, 16)
    assert encoder.conv1.kernel_size == (3, 3)


def test_layers_are_named_from_the_input_side_on() -> None:
    encoder = build_encoder(Architecture("resnet18", width=2))
    assert encoder.layer_names() == ("stem", "layer1", "layer2", "layer3", "layer4")
    assert encoder.layer_names(blocks=True) == (
        "stem", "layer1.0", "layer1.1", "layer1", "layer2.0", "layer2.1", "layer2",
        "layer3.0", "layer3.1", "layer3", "layer4.0", "layer4.1", "layer4",
    )  # fmt: skip
    for name in encoder.layer_names(blocks=True):
        assert isinstance(encoder.layer(name), nn.Module)


@pytest.mark.parametrize("name", ["layer5", "layer1.2", "conv1", "", "layer1.0.conv1", "fc"])
def test_unknown_layers_are_refused_with_the_known_ones(name: str) -> None:
    encoder = build_encoder(Architecture("resnet18", width=2))
    with pytest.raises(ConfigError, match="Its layers are stem, "):
        encoder.layer(name)


@pytest.mark.parametrize(
    ("name", "width", "stem"),
    [("vgg16", 64, "cifar"), ("resnet18", 0, "cifar"), ("resnet18", 2000, "cifar"),
     ("resnet18", 64, "clip")],
)  # fmt: skip
def test_architectures_that_cannot_be_built_are_refused(name: str, width: int, stem: str) -> None:
    with pytest.raises(ConfigError):
        Architecture(name, width=width, stem=stem)  # type: ignore[arg-type]


def test_the_projection_head_is_simclrs() -> None:
    torch.manual_seed(0)
    head = ProjectionHead(8, 5).eval()
    features = torch.randn(4, 8)
    hidden = (features @ head[0].weight.T / (1 + 1e-5) ** 0.5).clamp(min=0)
    expected = hidden @ head[3].weight.T + head[3].bias
    torch.testing.assert_close(head(features), expected)
    assert head[0].bias is None
    assert [default_projection_dim(d) for d in (32, 128, 512, 2048)] == [64, 64, 128, 128]


NARROW_GRADIENTS = """
import torch
from mimic.encoder.resnet import shortcut
torch.set_num_threads(2)
torch.manual_seed(0)
for channels in (4, 8, 12):
    plain = shortcut(channels, 2 * channels, 2).train()
    images = torch.randn(33, channels, 16, 16)
    gradients = []
    for form in (torch.contiguous_format, torch.channels_last):
        plain.zero_grad()
        plain(images.contiguous(memory_format=form)).square().mean().backward()
        gradients.append(plain[0].weight.grad.clone())
    for _ in range(20):
        plain(images.contiguous(memory_format=torch.channels_last)).sum().backward()
    torch.testing.assert_close(*gradients)
"""


def test_narrow_channels_last_shortcuts_have_the_right_gradient_on_two_threads() -> None:
    run = subprocess.run([sys.executable, "-c", NARROW_GRADIENTS], capture_output=True, check=False)
    assert run.returncode == 0, run.stderr.decode()[-2000:]
