"""Files that do not fill the network, or hold something else: refused with the list."""

import contextlib
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from mimic.checkpoint import MatchError, load_encoder
from mimic.errors import EncoderError
from tests.mimic.checkpoint.published import (
    PUBLISHED,
    VIT,
    State,
    classifier,
    make,
    numbered,
    prefixed,
    random,
    wrap,
)


def refusal(content: Any, path: Path) -> EncoderError:
    torch.save(content, path)
    with pytest.raises(EncoderError) as caught:
        load_encoder(path)
    for sentence in (caught.value.cause, caught.value.remedy):
        assert sentence.endswith(".")
        assert "\n" not in sentence
    return caught.value


def broken(change: Callable[[State], object]) -> State:
    state = dict(make().state_dict())
    change(state)
    return state


def spoil(state: State, value: float) -> None:
    state["layer2.0.conv1.weight"] = state["layer2.0.conv1.weight"].clone()
    state["layer2.0.conv1.weight"].view(-1)[3] = value


BROKEN: dict[str, tuple[Callable[[State], object], str]] = {
    "missing": (lambda s: s.pop("layer3.1.bn2.running_var"), "lacks layer3.1.bn2.running_var"),
    "extra": (
        lambda s: s.update({"layer1.0.conv9.weight": torch.zeros(1)}),
        "unknown layer1.0.conv9.weight",
    ),
    "extra-block": (
        lambda s: s.update({"layer1.2.conv1.weight": torch.zeros(2, 2, 3, 3)}),
        "not supported",
    ),
    "shape": (
        lambda s: s.update({"layer4.0.conv2.weight": torch.zeros(16, 16, 1, 1)}),
        "mis-shaped layer4.0.conv2.weight",
    ),
    "nan": (lambda s: spoil(s, float("nan")), "not finite, for example in layer2.0.conv1.weight"),
    "infinite": (lambda s: spoil(s, float("inf")), "not finite"),
    "grey-stem": (lambda s: s.update({"conv1.weight": torch.zeros(2, 1, 3, 3)}), "not supported"),
    "odd-stem": (lambda s: s.update({"conv1.weight": torch.zeros(2, 3, 5, 5)}), "not supported"),
    "flat-stem": (lambda s: s.update({"conv1.weight": torch.zeros(2)}), "not supported"),
    "no-stem": (lambda s: s.pop("conv1.weight"), "No residual encoder"),
    "wide-stem": (lambda s: s.update({"conv1.weight": torch.zeros(4, 3, 3, 3)}), "mis-shaped"),
    "no-width": (lambda s: s.update({"conv1.weight": torch.zeros(0, 3, 3, 3)}), ""),
    "sparse": (
        lambda s: s.update({"layer1.0.conv1.weight": torch.zeros(2, 2, 3, 3).to_sparse()}), "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_weights_that_do_not_fill_the_network_are_refused_with_the_reason(
    tmp_path: Path, kind: str
) -> None:
    change, reason = BROKEN[kind]
    assert reason in refusal(broken(change), tmp_path / "e.pth").cause


def test_the_report_lists_what_matched_what_was_ignored_and_what_did_not_fit(
    tmp_path: Path,
) -> None:
    state = numbered("f.f.", make().state_dict()) | {"g.0.weight": random(16, 16)}
    state.pop("f.f.5.1.bn2.running_var")
    state["f.f.6.0.conv2.weight"] = random(16, 16, 1, 1)
    state["f.f.3.0.conv9.weight"] = random(3)
    error = refusal(wrap(state), tmp_path / "e")
    assert isinstance(error, MatchError)
    assert error.match is not None
    report = error.match.to_json()
    assert report["missing"] == ["layer3.1.bn2.running_var"]
    assert report["ignored"] == [{"name": "g.0.weight", "why": "head"}]
    assert report["mismatched"] == [
        {"name": "f.f.6.0.conv2.weight", "expected": [16, 16, 3, 3], "found": [16, 16, 1, 1]},
        {"name": "f.f.3.0.conv9.weight", "expected": None, "found": [3]},
    ]
    assert len(report["matched"]) == len(state) - 3
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - how worker processes hand errors on
    assert (again.cause, again.match) == (error.cause, None)


def test_s9_tensors_of_unknown_purpose_are_named_in_a_warning(tmp_path: Path) -> None:
    torch.save(make().state_dict() | {"secret.weight": random(3, 3)}, tmp_path / "e")
    loaded = load_encoder(tmp_path / "e")
    assert loaded.match.ignored == {"secret.weight": "other"}
    assert any("secret.weight" in doubt for doubt in loaded.warnings)


def replaced(
    name: str, change: Callable[[torch.Tensor], torch.Tensor]
) -> Callable[[State], object]:
    return lambda state: state.update({name: change(state[name])})


UNSOUND: dict[str, tuple[Callable[[State], object], str]] = {
    "zeros": (replaced("layer2.0.conv1.weight", torch.zeros_like), "nothing but zeros in"),
    "integers": (replaced("layer2.0.conv1.weight", lambda t: t.long()), "whole numbers"),
    "negative-variance": (replaced("layer2.0.bn1.running_var", torch.neg), "negative variance"),
    "not-finite-scale": (replaced("layer2.0.bn1.weight", lambda t: t / 0), "not finite"),
    "too-large-for-float32": (
        replaced("layer2.0.conv1.weight", lambda t: t.double() + 1e300), "not finite",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", UNSOUND)
def test_s9_weights_no_working_encoder_has_are_refused_by_name(tmp_path: Path, kind: str) -> None:
    change, reason = UNSOUND[kind]
    error = refusal(broken(change), tmp_path / "e")
    assert reason in error.cause
    assert "layer2.0." in error.cause


def test_s9_a_tensor_of_one_repeated_number_is_named_in_a_warning(tmp_path: Path) -> None:
    state = broken(replaced("layer2.0.conv1.weight", lambda t: torch.full_like(t, 0.25)))
    torch.save(state, tmp_path / "e")
    assert any("layer2.0.conv1.weight" in doubt for doubt in load_encoder(tmp_path / "e").warnings)
    PUBLISHED["A"].write(tmp_path / "good")
    assert load_encoder(tmp_path / "good").warnings == []


EXTREME: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "layer2.0.bn1.running_var": lambda t: torch.full_like(t, 1e-38),
    "layer2.0.conv1.weight": lambda t: t * 1e-40,
    "layer1.0.conv1.weight": lambda t: t * 3e38 / t.abs().max(),
    "layer1.0.bn1.bias": lambda t: t - 1e31,
}


@pytest.mark.parametrize("name", EXTREME)
def test_s9_numbers_that_no_training_leaves_are_named_in_a_warning(
    tmp_path: Path, name: str
) -> None:
    torch.save(broken(replaced(name, EXTREME[name])), tmp_path / "e")
    doubts = load_encoder(tmp_path / "e").warnings
    assert any(f"no training leaves them in {name}:" in doubt for doubt in doubts)
    torch.save(broken(replaced(name, torch.zeros_like)), tmp_path / "zeros")
    with contextlib.suppress(EncoderError):  # Zeros are refused, doubted or honest; not this.
        doubts = load_encoder(tmp_path / "zeros").warnings
        assert not any("no training leaves" in doubt for doubt in doubts)


@pytest.mark.parametrize("other", ["visual.", "copy.", "projector."])
def test_s9_a_second_different_encoder_is_named_in_a_warning(tmp_path: Path, other: str) -> None:
    first, second = make().state_dict(), make(seed=1).state_dict()
    torch.save(prefixed("backbone.", first) | prefixed(other, second), tmp_path / "e")
    loaded = load_encoder(tmp_path / "e")
    assert torch.equal(loaded.encoder.state_dict()["conv1.weight"], first["conv1.weight"])
    assert {loaded.match.ignored[other + name] for name in second} == {"second encoder"}
    (doubt,) = [d for d in loaded.warnings if "second, different encoder" in d]
    assert other in doubt
    assert "backbone.conv1.weight" in doubt


@pytest.mark.parametrize("other", ["copy.", "encoder_k.", "model_ema."])
def test_a_copy_or_a_momentum_twin_is_no_second_encoder(tmp_path: Path, other: str) -> None:
    first = make().state_dict()
    second = first if other == "copy." else make(seed=1).state_dict()
    torch.save(prefixed("backbone.", first) | prefixed(other, second), tmp_path / "e")
    loaded = load_encoder(tmp_path / "e")
    assert not [d for d in loaded.warnings if "second" in d]
    kind = "alias" if other == "copy." else "momentum twin"
    assert {loaded.match.ignored[other + name] for name in second} == {kind}


@pytest.mark.parametrize("other", ["model", "network", "state_dict_ema"])
def test_s9_another_state_dict_beside_is_named_in_a_warning(tmp_path: Path, other: str) -> None:
    torch.save(wrap(make().state_dict(), **{other: make(seed=1).state_dict()}), tmp_path / "e")
    (doubt,) = load_encoder(tmp_path / "e").warnings[-1:]
    assert f"tensors under '{other}', which are not examined" in doubt
    assert "those under 'state_dict'" in doubt


def test_several_networks_without_a_state_dict_are_named(tmp_path: Path) -> None:
    both = {"teacher": make().state_dict(), "student": make(seed=1).state_dict(), "epoch": 1}
    error = refusal(both, tmp_path / "e")
    assert "several networks under teacher, student" in error.cause
    assert "plain state dict" in error.remedy


@pytest.mark.parametrize("name", ["bn1.weight", "bn1.running_var", "layer2.0.bn1.running_var"])
def test_s9_a_norm_of_nothing_but_zeros_is_named_in_a_warning(tmp_path: Path, name: str) -> None:
    torch.save(broken(replaced(name, torch.zeros_like)), tmp_path / "e")
    (doubt,) = load_encoder(tmp_path / "e").warnings
    assert f"nothing but zeros in {name}" in doubt
    torch.save(broken(replaced("layer2.0.bn2.weight", torch.zeros_like)), tmp_path / "e")
    assert load_encoder(tmp_path / "e").warnings == []


def parameter_groups() -> dict[str, Any]:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1).state_dict()


FOREIGN: dict[str, tuple[Callable[[], Any], str]] = {
    "linear-probe": (
        lambda: wrap({"module.1.mean": random(1), "module.1.inv_std": random(1),
                      "module.2.weight": random(10, 16), "module.2.bias": random(10)}),
        "linear probe",
    ),
    "backdoorbench": (
        lambda: {"model_name": "resnet18", "num_classes": 10, "model": make().state_dict()},
        "classifier",
    ),
    "detection": (
        lambda: prefixed("backbone.", make().state_dict()) | {"roi_heads.box.fc6.weight":
                                                              random(4, 4)},
        "detection",
    ),
    "segmentation": (
        lambda: prefixed("backbone.", make().state_dict()) | {
            "classifier.0.convs.0.0.weight": random(4, 4)},
        "segmentation",
    ),
    "lora": (
        lambda: {"blocks.0.attn.qkv.lora_A.weight": random(4, 8)}, "LoRA",
    ),
    "optimizer": (parameter_groups, "optimiser"),
    "openai-vit": (
        lambda: {"visual.class_embedding": random(8), "visual.conv1.weight": random(8, 3, 4, 4),
                 "visual.transformer.resblocks.0.ln_1.weight": random(8)},
        "OpenAI",
    ),
    "pre-activation": (
        lambda: {k: v for k, v in make().state_dict().items() if not k.startswith("bn1.")}
        | classifier("linear."), "lacks bn1.bias",
    ),
    "empty": (dict, "no "),
    "text-model": (lambda: {"bert.embeddings.word_embeddings.weight": random(9, 4)}, "text model"),
}  # fmt: skip


@pytest.mark.parametrize("kind", FOREIGN)
def test_files_of_something_else_are_refused_by_what_they_hold(tmp_path: Path, kind: str) -> None:
    content, words = FOREIGN[kind]
    assert words in refusal(content(), tmp_path / "e").cause


WRONG_TRANSFORMERS: dict[str, tuple[Callable[[State], object], str]] = {
    "no-positions": (lambda s: s.pop("pos_embed"), "no positions"),
    "odd-grid": (lambda s: s.update({"pos_embed": random(1, 12, 64)}), "12 positions"),
    "missing": (lambda s: s.pop("blocks.3.norm2.bias"), "lacks blocks.3.norm2.bias"),
    "extra": (lambda s: s.update({"blocks.1.attn.bias_table": random(3)}), "has unknown"),
    "grey": (lambda s: s.update({"patch_embed.proj.weight": random(64, 1, 8, 8)}), "patches"),
    "flat": (lambda s: [s.pop(k) for k in list(s) if not k.startswith("blocks.0")
                        and k.startswith("blocks.")], "1 blocks"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG_TRANSFORMERS)
def test_broken_transformers_are_refused_with_the_reason(tmp_path: Path, kind: str) -> None:
    change, reason = WRONG_TRANSFORMERS[kind]
    state = dict(make(VIT).state_dict())
    change(state)
    assert reason in refusal(state, tmp_path / "e").cause
