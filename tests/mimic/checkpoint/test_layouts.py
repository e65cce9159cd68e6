"""Every published layout: found, matched, and given what its inputs need."""

import dataclasses
from pathlib import Path

import pytest
import torch

from mimic.checkpoint import layouts, load_encoder
from mimic.encoder import Encoder
from mimic.errors import EncoderError
from mimic.preprocessing import parse_normalization
from tests.mimic.checkpoint.published import (
    PUBLISHED,
    SMALL,
    VIT,
    huggingface_vit,
    make,
    numbered,
    prefixed,
    wrap,
)


def features(encoder: Encoder) -> torch.Tensor:
    side = encoder.architecture.input_size or (16 if encoder.architecture.stem == "cifar" else 64)
    images = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return encoder(images)


@pytest.mark.parametrize("layout", PUBLISHED)
def test_every_published_layout_gives_its_encoder_and_what_its_images_need(
    tmp_path: Path, layout: str
) -> None:
    published, path = PUBLISHED[layout], tmp_path / "name-that-tells-nothing.bin"
    own = published.write(path)
    loaded = load_encoder(path)
    assert loaded.encoder.architecture == own.architecture
    for key, value in own.state_dict().items():
        assert torch.equal(loaded.encoder.state_dict()[key], value), key
    assert torch.equal(features(loaded.encoder), features(own))
    assert not loaded.encoder.training
    assert not any(p.requires_grad for p in loaded.encoder.parameters())
    # What its images need:
    assert loaded.family.id == published.family
    usual = parse_normalization(published.normalization)
    assert (loaded.normalization.mean, loaded.normalization.std) == (usual.mean, usual.std)
    assert "assumed" in loaded.normalization.source
    assert loaded.input_size == published.size
    assert loaded.pool_is_unclear == published.pool_is_unclear
    assert set(loaded.match.ignored.values()) == published.kinds
    assert loaded.match.is_complete
    assert len(loaded.match.matched) + len(loaded.match.ignored) == len(loaded.entries)
    parts = 3 if layout.startswith("huggingface-vit") else 1
    joined = sum("qkv" in key for key in own.state_dict())
    assert len(loaded.match.matched) == len(own.state_dict()) + (parts - 1) * joined


@pytest.mark.parametrize("layout", ["A", "D", "F", "K", "timm-vit"])
def test_the_preset_can_be_overridden_in_every_layout(tmp_path: Path, layout: str) -> None:
    published = PUBLISHED[layout]
    published.write(tmp_path / "e")
    loaded = load_encoder(tmp_path / "e", normalization="0.1,0.2,0.3/0.4", input_size=48)
    assert loaded.normalization.mean == (0.1, 0.2, 0.3)
    fixed = published.architecture.input_size
    assert loaded.input_size == (fixed or 48)
    assert ("learned positions" in loaded.size.source) == (fixed is not None)


@pytest.mark.parametrize("given", ["yes", "no"])
@pytest.mark.parametrize("layout", ["A", "N-moco", "torchvision"])
def test_the_max_pool_can_be_overridden_and_changes_what_is_computed(
    tmp_path: Path, layout: str, given: str
) -> None:
    PUBLISHED[layout].write(tmp_path / "e")
    usual, asked = load_encoder(tmp_path / "e"), load_encoder(tmp_path / "e", max_pool=given)
    assert asked.encoder.architecture.has_max_pool == (given == "yes")
    assert asked.max_pool.source == "given by hand"
    same = usual.encoder.architecture.has_max_pool == (given == "yes")
    assert torch.equal(features(usual.encoder), features(asked.encoder)) == same


def test_an_unknown_prefix_is_found_and_written_back(tmp_path: Path) -> None:
    state = {f"module.my.model.{key}": v for key, v in make().state_dict().items()}
    torch.save(state, tmp_path / "e")
    loaded = load_encoder(tmp_path / "e")
    assert loaded.layout.written_prefix == "module.my.model."
    assert loaded.family.id == "other"
    assert {key for keys in loaded.layout.sources.values() for key in keys} <= set(state)


def test_of_two_networks_under_unknown_prefixes_neither_is_guessed(tmp_path: Path) -> None:
    state = {f"{side}.net.{key}": v for key, v in make().state_dict().items()
             for side in ("one", "two")}  # fmt: skip
    torch.save(state, tmp_path / "e")
    with pytest.raises(EncoderError, match="No residual encoder"):
        load_encoder(tmp_path / "e")


def test_the_search_for_a_prefix_is_bounded() -> None:
    many = [f"a{n}.conv1.weight" for n in range(layouts.MOST_PREFIXES + 1)]
    assert layouts.unknown_prefixes(many) == []
    assert layouts.unknown_prefixes([".".join(["x"] * 50 + ["conv1.weight"])]) == []
    late = ["junk"] * layouts.MOST_NAMES + ["net.conv1.weight"]
    assert layouts.unknown_prefixes(late) == []


def test_a_parameter_named_twice_is_refused_as_unclear(tmp_path: Path) -> None:
    own, twin = make().state_dict(), make(seed=1).state_dict()
    torch.save(own | prefixed("module.", twin), tmp_path / "e")
    with pytest.raises(EncoderError, match="twice under different prefixes"):
        load_encoder(tmp_path / "e")


def test_small_image_encoders_see_small_images_as_they_are_and_large_ones_at_32(
    tmp_path: Path,
) -> None:
    PUBLISHED["A"].write(tmp_path / "e")
    preprocessing = load_encoder(tmp_path / "e").preprocessing
    assert [preprocessing.size_for(side) for side in (8, 28, 32, 64, 65, 96, 224)] == [
        8, 28, 32, 64, 32, 32, 32,
    ]  # fmt: skip
    pixels = torch.zeros(2, 96, 96, 3, dtype=torch.uint8).numpy()
    assert preprocessing(pixels, torch.device("cpu")).shape == (2, 3, 32, 32)
    fixed = load_encoder(tmp_path / "e", input_size=96).preprocessing
    assert fixed(pixels, torch.device("cpu")).shape == (2, 3, 96, 96)


def test_half_precision_and_old_style_files_are_read_as_float32(tmp_path: Path) -> None:
    own = make()
    half = {k: v.half() if v.is_floating_point() else v for k, v in own.state_dict().items()}
    torch.save(half, tmp_path / "half.pth", _use_new_zipfile_serialization=False)
    loaded = load_encoder(tmp_path / "half.pth")
    for key, value in loaded.encoder.state_dict().items():
        assert torch.equal(value, half[key].to(value.dtype))
    assert {p.dtype for p in loaded.encoder.parameters()} == {torch.float32}


def test_files_without_batch_counters_are_complete(tmp_path: Path) -> None:
    own = {k: v for k, v in make().state_dict().items() if not k.endswith("num_batches_tracked")}
    torch.save(own, tmp_path / "e.pth")
    assert torch.equal(features(load_encoder(tmp_path / "e.pth").encoder), features(make()))


def test_the_encoder_shares_no_memory_with_the_file(tmp_path: Path) -> None:
    tied = dict(make().state_dict())
    tied["layer1.1.conv1.weight"] = tied["layer1.0.conv1.weight"]
    torch.save(wrap(numbered("f.f.", tied)), tmp_path / "e")
    encoder = load_encoder(tmp_path / "e").encoder
    first, second = (encoder.state_dict()[f"layer1.{i}.conv1.weight"] for i in (0, 1))
    assert torch.equal(first, second)
    assert first.data_ptr() != second.data_ptr()


def test_a_transformer_with_a_part_of_its_attention_missing_is_refused(tmp_path: Path) -> None:
    state = huggingface_vit(make(VIT).state_dict())
    state.pop("encoder.layer.2.attention.attention.key.weight")
    torch.save(state, tmp_path / "e")
    with pytest.raises(EncoderError, match=r"blocks\.2\.attn\.qkv\.weight"):
        load_encoder(tmp_path / "e")


def test_names_alone_never_say_whether_an_encoder_is_clean() -> None:
    words = " ".join(f"{p.family}" for p in PUBLISHED.values())
    assert "backdoor" not in words
    assert PUBLISHED["A"].architecture == SMALL


def torchvision_transformer(width: int, heads: int) -> torch.nn.Module:
    """A flat one of torchvision's, an independent reference."""
    from torchvision.models.vision_transformer import VisionTransformer

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        made = VisionTransformer(
            image_size=28, patch_size=14, num_layers=4, num_heads=heads, hidden_dim=width,
            mlp_dim=32, num_classes=2,
        )  # fmt: skip
        for parameter in made.parameters():
            torch.nn.init.normal_(parameter, std=0.1)
    return made.eval()


@pytest.mark.parametrize(
    ("width", "heads", "said"), [(1280, 16, 0), (1152, 16, 0), (192, 3, 0), (160, 2, 2), (64, 2, 2)]
)
def test_a_transformer_has_the_heads_that_its_width_or_the_user_says(
    tmp_path: Path, width: int, heads: int, said: int
) -> None:
    reference = torchvision_transformer(width, heads)
    torch.save(reference.state_dict(), tmp_path / "e")
    loaded = load_encoder(tmp_path / "e", heads=said)
    told = any("attention heads" in doubt for doubt in loaded.warnings)
    assert told == (said == 0)  # The usual number for the width may still be another one here.
    images = torch.randn(2, 3, 28, 28, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        tokens = reference._process_input(images)  # type: ignore[operator]
        first = reference.class_token.expand(2, -1, -1)  # type: ignore[operator]
        wanted = reference.encoder(torch.cat([first, tokens], 1))[:, 0]  # type: ignore[operator]
        torch.testing.assert_close(loaded.encoder(images), wanted, rtol=1e-3, atol=1e-3)


def test_s9_an_assumed_number_of_heads_is_a_warning(tmp_path: Path) -> None:
    torch.save(torchvision_transformer(64, 2).state_dict(), tmp_path / "e")
    doubts = " ".join(load_encoder(tmp_path / "e").warnings)
    assert "attention heads is not stored in the file; 1 was assumed" in doubts
    torch.save(torchvision_transformer(160, 2).state_dict(), tmp_path / "e")
    with pytest.raises(EncoderError, match="--heads"):
        load_encoder(tmp_path / "e")


@pytest.mark.parametrize("heads", [6, 12])
def test_s9_what_no_tensor_of_a_transformer_tells_is_a_warning(tmp_path: Path, heads: int) -> None:
    # MoCo v3's small transformer has 12 heads of 32 channels, all others of its width 6 of 64.
    torch.save(torchvision_transformer(384, heads).state_dict(), tmp_path / "e")
    for said, guessed in ((0, ["heads", "pools", "activation"]), (12, ["pools", "activation"])):
        doubts = load_encoder(tmp_path / "e", heads=said).warnings
        assert [any(word in doubt for doubt in doubts) for word in guessed] == [True] * len(guessed)
        assert any("attention heads" in doubt for doubt in doubts) == (said == 0)
    assert load_encoder(tmp_path / "e", heads=heads, compared=True).warnings == []


def test_s9_how_tokens_are_pooled_is_no_question_where_tensors_tell(tmp_path: Path) -> None:
    torch.save(make(dataclasses.replace(VIT, pool="avg")).state_dict(), tmp_path / "e")
    doubts = load_encoder(tmp_path / "e").warnings
    assert not any("pools" in doubt for doubt in doubts)
    assert any("activation" in doubt for doubt in doubts)


def test_s9_a_transformer_that_pools_by_attention_is_refused(tmp_path: Path) -> None:
    state = make(VIT).state_dict() | {"attn_pool.latent": torch.randn(1, 1, 64)}
    torch.save(state, tmp_path / "e")
    with pytest.raises(EncoderError, match=r"unknown attn_pool\.latent"):
        load_encoder(tmp_path / "e")


def test_s9_clips_transformer_gets_clips_statistics_and_a_doubt_of_its_activation(
    tmp_path: Path,
) -> None:
    torch.save(make(dataclasses.replace(VIT, pre_norm=True)).state_dict(), tmp_path / "e")
    loaded = load_encoder(tmp_path / "e")
    assert loaded.family.id == "timm-clip-vit"
    assert loaded.normalization.mean == parse_normalization("clip").mean
    assert any("quick-GELU" in doubt for doubt in loaded.warnings)
