"""Vision transformers against timm's."""

from typing import Any

import pytest
import timm
import torch
from timm.models.vision_transformer import VisionTransformer as Reference
from torch import nn

from mimic.activations import record_activations
from mimic.encoder import Architecture, build_encoder, new_network

SMALL = {"input_size": 32, "patch": 8, "depth": 5, "heads": 4}

VARIANTS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "class token": ({}, {}),
    "mean": ({"global_pool": "avg"}, {"pool": "avg"}),
    "mean, norm before it": (
        {"global_pool": "avg", "fc_norm": False}, {"pool": "avg", "fc_norm": False},
    ),
    "class token, norm after it": ({"fc_norm": True}, {"fc_norm": True}),
    "no class token": (
        {"global_pool": "avg", "class_token": False}, {"pool": "avg", "class_token": False},
    ),
    "layer scale and registers": (
        {"init_values": 0.1, "reg_tokens": 4, "no_embed_class": True},
        {"layer_scale": True, "register_tokens": 4, "embed_prefix": False},
    ),
    "registers with positions": ({"reg_tokens": 2}, {"register_tokens": 2}),
    "CLIP's": (
        {"pre_norm": True, "norm_layer": nn.LayerNorm, "act_layer": "quick_gelu"},
        {"pre_norm": True, "quick_gelu": True},
    ),
    "no bias, wide": ({"qkv_bias": False, "mlp_ratio": 6.0}, {"qkv_bias": False, "hidden": 192}),
}  # fmt: skip


def scatter(network: nn.Module) -> None:
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.2)


@pytest.mark.parametrize("variant", VARIANTS)
def test_features_equal_timms_with_the_same_weights(variant: str) -> None:
    torch.manual_seed(0)
    theirs, ours = VARIANTS[variant]
    reference = Reference(
        img_size=32, patch_size=8, embed_dim=32, depth=5, num_heads=4, num_classes=0, **theirs
    ).eval()
    scatter(reference)
    encoder = build_encoder(Architecture("vit", 32, **SMALL | ours)).eval()
    encoder.load_state_dict(reference.state_dict())  # Names and shapes are timm's.
    images = torch.randn(2, 3, 32, 32)
    with torch.no_grad():
        features, expected = encoder(images), reference(images)
    assert expected.std() > 0.1
    torch.testing.assert_close(features, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("pool", ["token", "avg"])
def test_a_named_timm_model_of_16_pixel_patches_on_224_pixels_is_the_same(pool: str) -> None:
    torch.manual_seed(0)
    reference = timm.create_model(
        "vit_tiny_patch16_224", pretrained=False, num_classes=0, depth=4, embed_dim=64,
        num_heads=1, global_pool=pool,
    ).eval()  # fmt: skip
    scatter(reference)
    architecture = Architecture("vit", 64, patch=16, depth=4, pool=pool)  # type: ignore[arg-type]
    assert (architecture.input_size, architecture.grid, architecture.head_count) == (224, 14, 1)
    encoder = build_encoder(architecture).eval()
    encoder.load_state_dict(reference.state_dict())
    images = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        torch.testing.assert_close(encoder(images), reference(images), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("variant", ["class token", "layer scale and registers", "no class token"])
def test_maps_hold_the_patches_tokens_in_their_places(variant: str) -> None:
    torch.manual_seed(0)
    encoder = build_encoder(Architecture("vit", 32, **SMALL | VARIANTS[variant][1])).eval()
    scatter(encoder)
    image = torch.randn(1, 3, 32, 32)
    outputs: list[torch.Tensor] = []
    encoder.blocks[4].register_forward_hook(lambda _module, _inputs, out: outputs.append(out))
    with torch.no_grad(), record_activations(encoder, ["stem", "layer4"]) as recorded:
        encoder(image)
    tokens = outputs[0][0]
    first = len(tokens) - 16  # Whatever stands for no patch comes first.
    for row in range(4):
        for column in range(4):
            token = tokens[first + 4 * row + column]
            assert torch.equal(recorded["layer4"][0, :, row, column], token)
            cell = image[:, :, 8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
            expected = encoder.patch_embed.proj(cell).flatten()
            torch.testing.assert_close(recorded["stem"][0, :, row, column], expected)


def test_new_weights_are_drawn_from_a_narrow_normal() -> None:
    architecture = Architecture("vit", 128, input_size=32, patch=4, depth=4, heads=2)
    encoder, _ = new_network(architecture, torch.device("cpu"), seed=0)
    for name, parameter in encoder.named_parameters():
        if name.endswith(("qkv.weight", "fc1.weight", "fc2.weight", "attn.proj.weight")):
            assert parameter.detach().std().item() == pytest.approx(0.02, rel=0.05), name
        if name.startswith("blocks.") and name.endswith("bias"):
            assert not parameter.any(), name
    assert encoder.pos_embed.detach().std().item() == pytest.approx(0.02, rel=0.1)


def test_layer_scale_begins_smaller_in_deep_networks() -> None:
    shallow, deep = (
        build_encoder(
            Architecture("vit", 8, input_size=8, patch=4, depth=depth, heads=1, layer_scale=True)
        )
        for depth in (4, 24)
    )
    assert shallow.blocks[0].ls1.gamma.detach().max().item() == pytest.approx(0.1)
    assert deep.blocks[0].ls2.gamma.detach().max().item() == pytest.approx(1e-5)
