"""The cleaned encoder in the suspect's layout: each name, shape and format, and no number of it."""

import warnings
from pathlib import Path
from typing import Any

import pytest
import safetensors
import safetensors.torch
import torch

from mimic.checkpoint import load_encoder, save_badencoder, save_encoder, save_in_layout
from mimic.encoder import Architecture, Encoder, ProjectionHead, build_encoder
from mimic.preprocessing import parse_normalization
from tests.mimic.checkpoint.published import (
    CLIP,
    PUBLISHED,
    SMALL,
    State,
    make,
    numbered,
    prefixed,
    state_of,
)


def make_head(seed: int = 0) -> ProjectionHead:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ProjectionHead(16, 8)


def stored(path: Path) -> tuple[Any, State]:
    """A file's content, and its state dict."""
    if path.read_bytes()[8:9] == b"{":
        state = safetensors.torch.load_file(path)
        return state, state
    content = torch.load(path, weights_only=True, map_location="cpu")
    return content, state_of(content)


def assert_fits(path: Path, original: Path) -> None:
    """The same outermost keys, and each tensor in its place, shape and format."""
    (content, state), (wanted, wanted_state) = stored(path), stored(original)
    assert list(content) == list(wanted)
    for key, value in wanted.items():  # Python's two kinds of dictionary count as one.
        assert isinstance(content[key], dict if isinstance(value, dict) else type(value)), key
    assert {k: (v.shape, v.dtype) for k, v in state.items()} == {
        k: (v.shape, v.dtype) for k, v in wanted_state.items()
    }


def assert_nothing_travels(path: Path, original: Path) -> None:
    """No tensor of several numbers is one of the suspect's."""
    state, suspect = stored(path)[1], stored(original)[1]
    for name, value in state.items():
        if value.is_floating_point() and value.numel() > 1:
            assert not torch.equal(value, suspect[name]), name
            assert not bool((value == suspect[name]).all()), name


QUICK = ("A", "F", "I", "J", "M", "huggingface-vit")
"""One of each way to write names; the others are as many variations."""


@pytest.mark.parametrize(
    "layout",
    [pytest.param(n, marks=[] if n in QUICK else [pytest.mark.slow]) for n in PUBLISHED],
)
def test_a_student_takes_the_suspects_place_in_every_layout(tmp_path: Path, layout: str) -> None:
    published = PUBLISHED[layout]
    suspect, student = tmp_path / "suspect", tmp_path / "student"
    published.write(suspect)
    own = make(published.architecture, 7)
    like = load_encoder(suspect)
    renewed = save_in_layout(student, own, None, like, seed=3)
    assert_fits(student, suspect)
    assert_nothing_travels(student, suspect)
    cleaned = load_encoder(student)
    for key, value in own.state_dict().items():
        assert torch.equal(cleaned.encoder.state_dict()[key], value), key
    assert cleaned.family.id == like.family.id
    # What is left aside is a copy of the backbone, and so the student's, or begun anew.
    weights = list(own.state_dict().values())
    state = stored(student)[1]
    for name in set(like.match.ignored) - set(renewed):
        assert any(state[name].equal(weight) for weight in weights), name
    copies = {"I": 3, "J": 1, "K": 1, "M": 1, "N-moco": 1, "N-byol": 1}.get(layout, 0)
    assert len(like.match.ignored) - len(renewed) == copies * len(weights)


@pytest.mark.parametrize("number_format", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("layout", ["A"])
def test_number_formats_are_kept(tmp_path: Path, layout: str, number_format: torch.dtype) -> None:
    published = PUBLISHED[layout]
    published.write(tmp_path / "suspect", dtype=number_format)
    own = make(SMALL, 7)
    like = load_encoder(tmp_path / "suspect")
    save_in_layout(tmp_path / "student", own, make_head(1), like)
    assert_fits(tmp_path / "student", tmp_path / "suspect")
    cleaned = load_encoder(tmp_path / "student")
    for key, value in own.state_dict().items():
        expected = value.to(number_format).float() if value.is_floating_point() else value
        assert torch.equal(cleaned.encoder.state_dict()[key], expected), key


def test_a_known_head_is_the_students_and_an_unknown_one_is_begun_anew(tmp_path: Path) -> None:
    PUBLISHED["A"].write(tmp_path / "suspect")
    like, head = load_encoder(tmp_path / "suspect"), make_head(5)
    assert save_in_layout(tmp_path / "student", make(SMALL, 7), head, like) == []
    again = load_encoder(tmp_path / "student").head
    assert again is not None
    for key, value in head.state_dict().items():
        assert torch.equal(again.state_dict()[key], value), key


def test_what_is_begun_anew_depends_on_the_seed_alone(tmp_path: Path) -> None:
    PUBLISHED["J"].write(tmp_path / "suspect")
    like, own = load_encoder(tmp_path / "suspect"), make(PUBLISHED["J"].architecture, 7)
    states = []
    for number, seed in enumerate((1, 1, 2)):
        renewed = save_in_layout(tmp_path / f"{number}", own, None, like, seed=seed)
        states.append(stored(tmp_path / f"{number}")[1])
    matrices = [name for name in renewed if states[0][name].ndim >= 2]
    assert matrices
    for name in matrices:
        assert torch.equal(states[0][name], states[1][name])
        assert not torch.equal(states[0][name], states[2][name])
    columns = states[0]["module.queue"].norm(dim=0)
    torch.testing.assert_close(columns, torch.ones_like(columns))


def test_no_free_text_of_the_suspect_travels_along(tmp_path: Path) -> None:
    PUBLISHED["timm-vit"].write(tmp_path / "suspect")
    like = load_encoder(tmp_path / "suspect")
    save_in_layout(tmp_path / "student", like.encoder, None, like)
    with safetensors.safe_open(tmp_path / "student", framework="pt") as opened:
        assert opened.metadata() == {"format": "pt"}


class Tower(torch.nn.Module):
    """A CLIP archive's outer module."""

    def __init__(self, visual: Encoder) -> None:
        super().__init__()
        self.visual = visual
        self.logit_scale = torch.nn.Parameter(torch.tensor(4.6))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.visual(x) * self.logit_scale


@pytest.mark.filterwarnings("ignore")
def test_layout_g_becomes_a_checkpoint_of_the_image_tower(tmp_path: Path) -> None:
    tower = Tower(make(CLIP)).eval()
    for parameter in tower.parameters():
        parameter.requires_grad_(False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.trace(tower, torch.zeros(1, 3, 64, 64)).half().save(str(tmp_path / "RN50.pt"))
    like = load_encoder(tmp_path / "RN50.pt")
    assert (like.family.id, like.file.kind) == ("G", "torchscript")
    assert like.input_size == 64
    assert {p.dtype for p in like.encoder.parameters()} == {torch.float32}
    own = make(CLIP, 7)
    save_in_layout(tmp_path / "student", own, None, like)
    content, state = stored(tmp_path / "student")
    assert list(content) == ["state_dict"]
    assert set(state) == set(prefixed("visual.", own.state_dict()))
    cleaned = load_encoder(tmp_path / "student")
    assert cleaned.family.id == "F"
    for key, value in own.state_dict().items():
        expected = value.half().float() if value.is_floating_point() else value
        assert torch.equal(cleaned.encoder.state_dict()[key], expected), key


def test_badencoders_layout_round_trips_with_its_exact_key_names(tmp_path: Path) -> None:
    own, head, path = make(), make_head(), tmp_path / "model_200.pth"
    save_badencoder(path, own, head, epoch=200)
    content, state = stored(path)
    assert set(content) == {"epoch", "state_dict", "optimizer"}
    assert content["epoch"] == 200
    assert set(state) == set(numbered("f.f.", own.state_dict()) | prefixed("g.", head.state_dict()))
    loaded = load_encoder(path)
    assert loaded.head is not None
    assert torch.equal(loaded.head[3].bias, head[3].bias)
    assert "f.f." in loaded.summary


def test_safetensors_keep_weights_head_and_preprocessing(tmp_path: Path) -> None:
    own, head, path = make(), make_head(), tmp_path / "any-name.bin"
    normalization = parse_normalization("0.1,0.2,0.3/0.4,0.5,0.6")
    save_encoder(
        path, own, head=head, normalization=normalization, input_size=24, card={"made": "here"}
    )
    loaded = load_encoder(path)
    assert loaded.is_mine
    assert torch.equal(loaded.encoder.conv1.weight, own.conv1.weight)
    assert loaded.normalization.mean == normalization.mean
    assert loaded.normalization.std == normalization.std
    assert loaded.normalization.source == "stored in the file"
    assert loaded.preprocessing.input_size == 24
    assert loaded.head is not None
    for key, value in head.state_dict().items():
        assert torch.equal(loaded.head.state_dict()[key], value), key
    by_hand = load_encoder(path, normalization="clip")
    assert by_hand.normalization.mean == parse_normalization("clip").mean


@pytest.mark.parametrize("pools", [True, False])
def test_safetensors_keep_the_max_pool_that_no_weight_shows(tmp_path: Path, pools: bool) -> None:
    PUBLISHED["N-moco"].write(tmp_path / "suspect")
    asked = load_encoder(tmp_path / "suspect", max_pool="yes" if pools else "no")
    none = parse_normalization("none")
    save_encoder(tmp_path / "e", asked.encoder, head=None, normalization=none, input_size=None)
    again = load_encoder(tmp_path / "e")
    assert again.encoder.architecture.has_max_pool == pools
    assert again.head is None
    assert again.input_size is None


@pytest.mark.parametrize(
    "more",
    [{"heads": 4}, {"heads": 2, "pool": "avg", "fc_norm": False}, {"heads": 1, "quick_gelu": True}],
)
def test_our_own_files_say_what_no_tensor_tells(tmp_path: Path, more: dict[str, Any]) -> None:
    architecture = Architecture(
        "vit", width=32, stem="patch", patch=4, depth=4, input_size=16, **more
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        own = build_encoder(architecture).eval()
    path = tmp_path / "student.safetensors"
    save_encoder(path, own, head=None, normalization=parse_normalization("none"), input_size=16)
    loaded = load_encoder(path).encoder
    images = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(loaded(images), own(images))


@pytest.mark.parametrize("record", ["{", "[]", '{"heads": "4"}', '{"heads": 7}', "[" * 5000])
def test_a_strangers_record_is_no_reason_to_fail_or_to_believe(tmp_path: Path, record: str) -> None:
    own = build_encoder(
        Architecture("vit", width=64, stem="patch", patch=4, depth=4, input_size=16)
    )
    path = tmp_path / "stranger.safetensors"
    state = {k: v.contiguous() for k, v in own.state_dict().items()}
    safetensors.torch.save_file(state, path, metadata={"transformer": record})
    assert load_encoder(path).encoder.architecture.head_count == 1
