"""CLIP's tower against a plain forward pass written from the paper and key names."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from mimic.encoder import Architecture, build_encoder, new_network

State = dict[str, torch.Tensor]


def norm(x: torch.Tensor, state: State, name: str) -> torch.Tensor:
    return functional.batch_norm(
        x, state[f"{name}.running_mean"], state[f"{name}.running_var"], state[f"{name}.weight"],
        state[f"{name}.bias"],
    )  # fmt: skip


def naive_block(x: torch.Tensor, state: State, name: str, stride: int) -> torch.Tensor:
    y = functional.conv2d(x, state[f"{name}.conv1.weight"])
    y = norm(y, state, f"{name}.bn1").relu()
    y = functional.conv2d(y, state[f"{name}.conv2.weight"], padding=1)
    y = functional.avg_pool2d(norm(y, state, f"{name}.bn2").relu(), stride)
    y = norm(functional.conv2d(y, state[f"{name}.conv3.weight"]), state, f"{name}.bn3")
    if f"{name}.downsample.0.weight" in state:
        x = functional.avg_pool2d(x, stride)
        x = functional.conv2d(x, state[f"{name}.downsample.0.weight"])
        x = norm(x, state, f"{name}.downsample.1")
    return (x + y).relu()


def naive_tower(x: torch.Tensor, state: State, stages: tuple[int, ...]) -> torch.Tensor:
    for number in (1, 2, 3):
        weight = state[f"conv{number}.weight"]
        x = functional.conv2d(x, weight, stride=2 if number == 1 else 1, padding=1)
        x = norm(x, state, f"bn{number}").relu()
    x = functional.avg_pool2d(x, 2)
    for stage, count in enumerate(stages, start=1):
        for block in range(count):
            stride = 2 if stage > 1 and block == 0 else 1
            x = naive_block(x, state, f"layer{stage}.{block}", stride)
    return naive_pool(x, state)


def naive_pool(x: torch.Tensor, state: State) -> torch.Tensor:
    cells = x.flatten(2).permute(2, 0, 1)  # (H*W, B, C)
    cells = torch.cat([cells.mean(0, keepdim=True), cells])
    cells = cells + state["attnpool.positional_embedding"][:, None]
    part = {key.removeprefix("attnpool."): value for key, value in state.items()}
    channels = cells.shape[2]
    pooled, _ = functional.multi_head_attention_forward(
        cells[:1], cells, cells, channels, channels // 64,
        in_proj_weight=None,
        in_proj_bias=torch.cat([part[f"{p}_proj.bias"] for p in "qkv"]),
        bias_k=None, bias_v=None, add_zero_attn=False, dropout_p=0.0,
        out_proj_weight=part["c_proj.weight"], out_proj_bias=part["c_proj.bias"],
        use_separate_proj_weight=True, training=False, need_weights=False,
        q_proj_weight=part["q_proj.weight"], k_proj_weight=part["k_proj.weight"],
        v_proj_weight=part["v_proj.weight"],
    )  # fmt: skip
    return pooled[0]


@pytest.mark.parametrize(
    ("width", "stages", "side"), [(4, (1, 1, 1, 1), 64), (8, (2, 1, 2, 1), 32), (2, (), 96)]
)
def test_features_equal_a_plain_forward_pass(
    width: int, stages: tuple[int, ...], side: int
) -> None:
    torch.manual_seed(0)
    architecture = Architecture(
        "clip_resnet50", width, input_size=side, stages=stages, output_dim=24
    )
    encoder = build_encoder(architecture).eval()
    for module in encoder.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.uniform_(module.bias, -0.2, 0.2)
    for name in "qkvc":
        nn.init.normal_(encoder.get_submodule(f"attnpool.{name}_proj").bias)
    images = torch.randn(2, 3, side, side)
    with torch.no_grad():
        expected = naive_tower(images, encoder.state_dict(), architecture.blocks)
        features = encoder(images)
    assert features.shape == (2, 24)
    scale = expected.abs().mean()
    torch.testing.assert_close(features / scale, expected / scale, atol=1e-5, rtol=1e-5)


def test_the_parameters_have_clips_names() -> None:
    with torch.device("meta"):
        state = build_encoder(Architecture("clip_resnet50")).state_dict()
    # Counted in the public tower: 339 entries, 38,316,896 learned numbers.
    assert len(state) == 339
    learned = (v.numel() for k, v in state.items() if "running" not in k and "num_b" not in k)
    assert sum(learned) == 38_316_896
    shapes = {key: tuple(value.shape) for key, value in state.items()}
    assert shapes["conv1.weight"] == (32, 3, 3, 3)
    assert shapes["conv3.weight"] == (64, 32, 3, 3)
    assert shapes["layer1.0.downsample.0.weight"] == (256, 64, 1, 1)
    assert shapes["layer4.0.downsample.1.running_mean"] == (2048,)
    assert shapes["attnpool.positional_embedding"] == (50, 2048)
    assert shapes["attnpool.c_proj.weight"] == (1024, 2048)


def test_new_branches_begin_at_zero_and_attention_by_its_width() -> None:
    architecture = Architecture("clip_resnet50", 8, input_size=64, stages=(1, 1, 1, 1))
    encoder, _ = new_network(architecture, torch.device("cpu"), seed=0)
    assert not encoder.layer3[0].bn3.weight.any()
    assert bool(encoder.bn3.weight.all())  # The stem's third norm is no branch's.
    for name in ("q_proj", "k_proj", "v_proj", "c_proj"):
        weight = encoder.attnpool.get_submodule(name).weight
        assert weight.detach().std().item() == pytest.approx(256**-0.5, rel=0.05)
