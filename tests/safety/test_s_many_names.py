"""S7: names chosen to make the recognition slow, which runs outside the child's time limit."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from mimic.checkpoint import ignored as ignored_module
from mimic.checkpoint import load_encoder
from mimic.checkpoint.ignored import MAX_LOOKS, SECOND, kind_of, sort_ignored
from mimic.checkpoint.layouts import Layout
from tests.mimic.checkpoint.published import make

MANY = 19_500
HOSTILE: dict[str, Callable[[int], str]] = {
    "many-stems": lambda index: f"x{index}.conv1.weight",
    "repeated-words": lambda index: f"{'head' * 100}-{index}",
    "repeated-dots": lambda index: f"{'a.' * 200}{index}",
    "nested-starts": lambda index: f"{'a.' * (index % 230)}{index}.conv1.weight",
    "parallel": lambda index: f"{'module.' * 60}x{index}",
}


@pytest.mark.parametrize(
    "kind",
    ["many-stems", *(pytest.param(k, marks=pytest.mark.slow) for k in list(HOSTILE)[1:])],
)
def test_s7_twenty_thousand_names_are_sorted_in_seconds(tmp_path: Path, kind: str) -> None:
    shared, own = torch.ones(1), make().state_dict()
    names = {HOSTILE[kind](index): shared for index in range(MANY)}
    torch.save({"state_dict": {**own, **names}}, tmp_path / "e.pth")
    begun = time.monotonic()
    loaded = load_encoder(tmp_path / "e.pth")
    assert time.monotonic() - begun < 30
    assert len(loaded.match.ignored) == len(names)


def test_s7_the_number_of_copies_looked_at_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    own = make().state_dict()
    tensors = dict(own)
    for index in range(40):  # Each within the one before.
        tensors |= {f"{'x.' * index}x.{name}": value for name, value in own.items()}
    calls = 0
    place_of = ignored_module.place_of

    def counted(*given: object) -> object:
        nonlocal calls
        calls += 1
        return place_of(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(ignored_module, "place_of", counted)
    layout = Layout("torchvision", "", "", {name: (name,) for name in own})
    kinds, copies = sort_ignored(tensors, layout)
    assert calls <= MAX_LOOKS * 40 * len(own)
    assert len(copies) == 8 * len(own)
    assert list(kinds.values()).count(SECOND) == 1, "what was not looked at is told"
    calls = 0
    nothing = torch.zeros(1)
    sort_ignored({**own, **{f"x{i}.conv1.weight": nothing for i in range(2000)}}, layout)
    assert calls == 0


@pytest.mark.parametrize("whole", [True, False])
def test_s9_no_number_of_groups_before_it_hides_a_second_encoder(
    whole: bool,
) -> None:
    own, other = make().state_dict(), make(seed=1).state_dict()
    tensors = dict(own)
    for index in range(20):
        names = own if whole else ["conv1.weight", *(f"x{i}" for i in range(len(own)))]
        tensors |= {f"a{index}.{name}": own["conv1.weight"] for name in names}
        if whole:
            tensors |= {f"a{index}.{name}": value for name, value in own.items()}
    tensors |= {f"z.{name}": value for name, value in other.items()}
    layout = Layout("torchvision", "", "", {name: (name,) for name in own})
    kinds, _ = sort_ignored(tensors, layout)
    assert {kinds[f"z.{name}"] for name in other} == {SECOND}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("module.queue_ptr", "queue"), ("encoder_k.conv1.weight", "momentum twin"),
        ("teacher.layer1.0", "momentum twin"), ("ema_model.conv1.weight", "momentum twin"),
        ("_feature_blocks.3.weight", "alias"), ("logit_scale", "text tower"),
        ("fc.weight", "classifier"), ("fc.1.bias", "classifier"), ("c.fc1.weight", "classifier"),
        ("heads.head.weight", "classifier"), ("fc.2.weight", "head"), ("g.3.weight", "head"),
        ("proj_head.0.weight", "head"), ("x.predictor.1.weight", "head"),
        ("gg.weight", "other"), ("secret", "other"), ("cc.weight", "other"), ("_k", "other"),
    ],
)  # fmt: skip
def test_the_parts_of_a_name_tell_its_kind(name: str, kind: str) -> None:
    assert kind_of(name, Layout("torchvision", "", "", {})) == kind
