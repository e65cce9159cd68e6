import copy
import dataclasses
from typing import Any

import pytest
import torch

from mimic.encoder import MAX_PARAMETERS, Architecture, build_encoder
from mimic.encoder.architecture import CLIP_DEPTHS, DEPTHS
from mimic.errors import ConfigError

VIT: dict[str, Any] = {"name": "vit", "width": 32, "input_size": 16, "patch": 4, "depth": 4,
                       "heads": 2}  # fmt: skip
CLIP: dict[str, Any] = {"name": "clip_resnet50", "width": 4, "input_size": 32}


@pytest.mark.parametrize(
    "bad",
    [
        VIT | {"width": 4096},
        VIT | {"width": 0},
        VIT | {"depth": 3},
        VIT | {"depth": 65},
        VIT | {"heads": 3},
        VIT | {"heads": 0},
        VIT | {"heads": -2},
        VIT | {"patch": 0},
        VIT | {"patch": -4},
        VIT | {"patch": 5},
        VIT | {"patch": 1, "input_size": 1000},
        VIT | {"input_size": 0},
        VIT | {"input_size": 2048},
        VIT | {"input_size": -16},
        VIT | {"hidden": 10**9},
        VIT | {"hidden": -1},
        VIT | {"register_tokens": 1000},
        VIT | {"register_tokens": -1},
        VIT | {"class_token": False},
        VIT | {"pool": "map"},
        VIT | {"max_pool": True},
        VIT | {"width": 2048, "heads": 32, "depth": 64},
        CLIP | {"width": 5},
        CLIP | {"width": 2000},
        CLIP | {"input_size": 48},
        CLIP | {"stages": (1, 2, 3)},
        CLIP | {"stages": (1, 2, 3, 0)},
        CLIP | {"stages": (1, 2, 3, 1000)},
        CLIP | {"output_dim": -1},
        CLIP | {"output_dim": 10**6},
        CLIP | {"width": 512},
        CLIP | {"max_pool": False},
        {"name": "resnet152", "width": 1024},
        {"name": "resnet18", "input_size": 32},
        {"name": "resnet18", "stages": (1, 1, 1, 1)},
        {"name": "vit_base"},
    ],
)
def test_architectures_that_cannot_be_built_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as refusal:
        Architecture(**bad)
    assert refusal.value.cause.endswith(".")
    assert refusal.value.remedy.endswith(".")


@pytest.mark.parametrize(
    "known",
    [
        *({"name": name} for name in [*DEPTHS, *CLIP_DEPTHS]),
        *(
            {"name": "vit", "width": width, "patch": 16, "depth": depth}
            for width, depth in [(192, 12), (384, 12), (768, 12), (1024, 24), (1280, 32)]
        ),
        CLIP,
        {"name": "vit", "width": 32, "patch": 4, "depth": 4, "heads": 2, "hidden": 256},
    ],
)
def test_the_announced_size_is_within_a_twentieth_of_the_real_one(known: dict[str, Any]) -> None:
    architecture = Architecture(**known)
    with torch.device("meta"):
        encoder = build_encoder(architecture)
    real = sum(p.numel() for p in encoder.parameters())
    assert 0.95 < architecture.parameters / real < 1.05
    assert real < MAX_PARAMETERS


def test_stems_and_max_pools_can_be_combined() -> None:
    images = torch.zeros(1, 3, 64, 64)
    sides = {}
    for stem in ("cifar", "imagenet"):
        for pool in (None, True, False):
            encoder = build_encoder(Architecture("resnet10", 2, stem, max_pool=pool)).eval()  # type: ignore[arg-type]
            x = encoder.layer("stem")(encoder.conv1(images))
            sides[stem, pool] = x.shape[-1]
    assert sides == {
        ("cifar", None): 64, ("cifar", True): 32, ("cifar", False): 64,
        ("imagenet", None): 16, ("imagenet", True): 16, ("imagenet", False): 32,
    }  # fmt: skip


@pytest.mark.parametrize("depth", range(4, 20))
def test_a_transformers_blocks_make_four_layers_as_even_as_can_be(depth: int) -> None:
    blocks = Architecture(**VIT | {"depth": depth}).blocks
    assert len(blocks) == 4
    assert sum(blocks) == depth
    assert max(blocks) - min(blocks) <= 1


def test_what_a_name_fixes_is_filled_in_and_survives_storage() -> None:
    architecture = Architecture("clip_resnet50")
    assert (architecture.stem, architecture.input_size) == ("clip", 224)
    assert (architecture.feature_dim, architecture.head_count, architecture.grid) == (1024, 32, 7)
    assert Architecture(**VIT).stem == "patch"
    for kept in (architecture, Architecture(**VIT), Architecture("resnet18", max_pool=True)):
        assert Architecture(**dataclasses.asdict(kept)) == kept
        assert copy.deepcopy(kept) == kept
