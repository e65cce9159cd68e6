import pytest
import torch

from mimic.encoder import Architecture, Encoder, build_encoder

KINDS = {
    "resnet": Architecture("resnet10", 4),
    "clip": Architecture("clip_resnet50", 4, input_size=32, stages=(1, 1, 1, 1), output_dim=24),
    "vit": Architecture("vit", 32, input_size=16, patch=4, depth=5, heads=2),
    "vit with registers": Architecture(
        "vit", 32, input_size=16, patch=4, depth=4, heads=2, pool="avg", register_tokens=3,
        embed_prefix=False, layer_scale=True, pre_norm=True, quick_gelu=True,
    ),
    "vit without class token": Architecture(
        "vit", 32, input_size=16, patch=4, depth=4, heads=2, pool="avg", class_token=False,
    ),
}  # fmt: skip


@pytest.fixture(params=KINDS)
def architecture(request: pytest.FixtureRequest) -> Architecture:
    """One small architecture of every kind."""
    return KINDS[request.param]


@pytest.fixture
def encoder(architecture: Architecture) -> Encoder:
    """An encoder in eval mode whose weights are all far from zero and from each other."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        encoder = build_encoder(architecture).eval()
        for parameter in encoder.parameters():
            if parameter.ndim > 1:
                fan_in = parameter[0].numel()
                torch.nn.init.normal_(parameter, std=(2 / fan_in) ** 0.5)
            else:
                torch.nn.init.uniform_(parameter, 0.5, 1.5)
    return encoder


def side(architecture: Architecture) -> int:
    """Pixels per side of images it takes."""
    return architecture.input_size or 16
