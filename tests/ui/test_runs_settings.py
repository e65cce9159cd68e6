"""Settings of runs in words; Expert keeps what is stored in sight."""

import pytest

from mimic.trigger.text import FORMS
from ui import mode, runs_settings


@pytest.fixture
def simple(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mode, "is_expert", lambda: False)


@pytest.mark.usefixtures("simple")
@pytest.mark.parametrize(
    ("kind", "setting", "stored", "words"),
    [
        ("distill", "encoder", "asset:demo/teacher.pth", "demo encoder"),
        ("distill", "clean_twin", "asset:demo/clean_twin.safetensors", "demo clean twin"),
        ("distill", "trigger", "asset:demo/trigger.npz", "demo trigger"),
        ("distill", "encoder", "/x/uploads/mine-0123456789abcdef.pth", "mine.pth"),
        ("distill", "trigger", "square:10:12:5", "white square of 5 px, row 10, column 12"),
        (
            "distill",
            "trigger",
            "patch:/x/cat.png:1:2:6",
            "picture cat.png of 6 px, row 1, column 2",
        ),
        ("distill", "trigger", "blend:/x/cat.png:0.2", "picture cat.png blended in at 20%"),
        ("distill", "trigger", "square:oops", "square:oops"),
        ("distill", "trigger", "", "not set"),
        ("inspect", "target_class", -1, "found, as the most frequent answer"),
        ("inspect", "target_class", 3, "3"),
        ("inspect", "input_size", 0, "what suits its file"),
        ("pretrain", "input_size", 0, "0"),
        ("distill", "patience", 0, "never"),
        ("distill", "base", -1.0, "the preset's"),
        ("distill", "clean_fraction", 0.04, "4.0% of the images"),
        ("distill", "data", "gtsrb", "GTSRB"),
        ("distill", "downstream", "", "the same images"),
        ("distill", "information", "uniform", "all layers alike"),
        ("distill", "reference", False, "no"),
        ("distill", "layers", ["layer1", "layer2"], "layer1, layer2"),
        ("distill", "margin", -0.5, "-0.5"),
        ("distill", "data", "=SUM(A1)", "'=SUM(A1)"),
        ("sweep", "epochs", None, "–"),
        ("no such kind", "target_class", -1, "-1"),
    ],
)
def test_a_setting_is_told_in_words(kind: str, setting: str, stored: object, words: str) -> None:
    assert runs_settings.shown(kind, setting, stored) == words


def test_expert_adds_what_is_stored_where_the_words_are_others() -> None:
    shown = runs_settings.shown
    assert shown("distill", "encoder", "asset:demo/teacher.pth") == (
        "demo encoder (asset:demo/teacher.pth)"
    )
    assert shown("inspect", "target_class", -1) == "found, as the most frequent answer (-1)"
    assert shown("distill", "epochs", 60) == "60"
    assert shown("distill", "trigger", "") == "not set"
    assert runs_settings.name("clean_fraction") == "clean images (clean_fraction)"
    assert runs_settings.name("batch_size") == "batch size"


def test_every_kind_of_trigger_has_its_words() -> None:
    assert set(runs_settings.TRIGGERS) == set(FORMS)
    for text in ("random-patch:a.png:5:0.1:0.9", "pattern:a.png", "sig:20:6", "ctrl", "ctrl:50:32",
                 "npz-resize:a.npz", "npz-row:a.npz"):  # fmt: skip
        assert runs_settings.trigger(text) != text
        assert ":" not in runs_settings.trigger(text)
