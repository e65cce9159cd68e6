import re
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from mimic.config import DistillConfig, InformationConfig
from mimic.run import Run
from ui import glossary

ROOT = Path(__file__).resolve().parents[2]
Fabricate = Callable[[Path], None]


@pytest.fixture(autouse=True)
def simple(monkeypatch: pytest.MonkeyPatch, expert: None) -> None:
    monkeypatch.setattr("ui.mode.DEFAULT", "simple")


def open_page(name: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "ui" / "shell.py"), default_timeout=20)
    app.run()
    if name != "overview":
        app.switch_page(f"../pages/{name}.py")
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


@pytest.mark.parametrize("name", ["overview", "story", "suspect", "layers", "distil", "embeddings"])
def test_simple_shows_no_command_and_no_number_to_set(
    name: str, runs_root: Path, fabricate: Fabricate
) -> None:
    fabricate(runs_root)
    app = open_page(name)
    assert not app.exception
    assert not [c for c in app.code if "python -m mimic" in c.value and name != "story"]
    assert not app.number_input
    assert not [s for s in app.selectbox if s.label in ("Device", "Schedule")]


@pytest.mark.parametrize("name", ["suspect", "layers", "distil", "embeddings"])
def test_simple_says_that_it_hides_settings_and_where_they_are(
    name: str, runs_root: Path, fabricate: Fabricate
) -> None:
    fabricate(runs_root)
    told = [c.value for c in open_page(name).caption]
    assert any(said.startswith("Recommended settings are used. Choose Expert") for said in told)
    told = [c.value for c in open_page(name, mode="expert").caption]
    assert not any(said.startswith("Recommended settings") for said in told)


def test_the_address_chooses_expert_and_other_pages_keep_it(
    runs_root: Path, fabricate: Fabricate
) -> None:
    fabricate(runs_root)
    app = open_page("distil", mode="expert")
    assert app.number_input
    app.switch_page("../pages/layers.py").run()
    assert app.number_input
    app.get_by_key("mode").set_value("simple").run()
    assert not app.number_input


def test_simple_starts_what_is_recommended(
    runs_root: Path, fabricate: Fabricate, monkeypatch: pytest.MonkeyPatch
) -> None:
    fabricate(runs_root)
    monkeypatch.setattr("mimic.job.spawn", lambda run: None)
    for name, label in (("distil", "Start"), ("layers", "Measure"), ("embeddings", "Compute")):
        app = open_page(name)
        next(b for b in app.button if b.label == label).click().run()
        assert not app.exception
    made = {
        r.name.split("-")[0]: Run(r).config() for r in runs_root.iterdir() if "demo" not in r.name
    }
    distill = made["distill"]
    assert isinstance(distill, DistillConfig)
    assert (distill.information, distill.weights) == ("demo-information", ())
    measured = made["information"]
    assert isinstance(measured, InformationConfig)
    assert measured.networks == ("teacher", "random", "clean_twin")
    assert made["embed"].student == "demo-distill"  # type: ignore[attr-defined]


OTHER_WORDS = re.compile(
    r"sticker|stamp|clean encoder|never attacked|right answers|success rate|\bASR\b", re.IGNORECASE
)
"""Second words for the trigger, a triggered image, the clean twin, accuracy and attack success."""
SAID_ONCE = {
    "Five short steps, under three minutes: put a sticker on a picture, watch the encoder fall for "
    "it, clean it, and try again.",  # The way to the story, in its own word.
    "Clean twin: an encoder of the same kind, never attacked (optional)",
}


@pytest.mark.parametrize("name", ["overview", "suspect", "layers", "distil"])
def test_simple_has_one_word_for_each_thing(
    name: str, runs_root: Path, fabricate: Fabricate, monkeypatch: pytest.MonkeyPatch
) -> None:
    fabricate(runs_root)
    monkeypatch.setattr("ui.verdict.card", lambda *_: None)  # Its words are mimic.verdict's own.
    monkeypatch.setattr("ui.layer_view.section", lambda *_: None)  # Sentences of a stored result.
    app = open_page(name)
    assert not app.exception
    main = app.main  # The sidebar's glossary tells of other names.
    shown = (main.title, main.header, main.subheader, main.markdown, main.caption, main.info)
    named = (main.button, main.selectbox, main.get("button_group"), main.metric, main.expander)
    said = [str(e.value) for kind in shown for e in kind]
    said += [str(e.label) for kind in named for e in kind]
    said += [option for e in main.selectbox for option in e.options]
    assert len(said) > 5
    assert not [s for s in said if OTHER_WORDS.search(s) and s not in SAID_ONCE]


def test_the_overview_says_whose_cleaned_encoder_it_speaks_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIMIC_RUNS", str(tmp_path / "runs"))
    told = [c.value.replace("\\", "") for c in open_page("overview").caption]
    assert "Verdict on the demo's cleaned encoder" in told


def test_a_cleaned_encoder_of_ones_own_is_not_called_the_demos(
    runs_root: Path, fabricate: Fabricate
) -> None:
    fabricate(runs_root)
    assert "Verdict on the cleaned encoder" in [c.value for c in open_page("overview").caption]


def test_expert_names_no_layer_that_the_ranges_do_not_tell_apart(
    runs_root: Path, fabricate: Fabricate
) -> None:
    fabricate(runs_root)
    told = [m.value for m in open_page("layers", mode="expert").markdown]
    assert any("cannot be told apart" in said for said in told)


def test_every_term_is_one_sentence_or_two_and_found_by_its_words() -> None:
    assert all(told.endswith(".") and 20 < len(told) < 220 for told in glossary.TERMS.values())
    assert list(glossary.matching("square")) == ["trigger"]
    assert glossary.help_for("floor") == glossary.TERMS["floor"]
    assert "**Floor.**" in glossary.help_for("seed", "floor")
    with pytest.raises(KeyError):
        glossary.help_for("flux")


def test_the_glossary_answers_a_search_on_any_page(runs_root: Path, fabricate: Fabricate) -> None:
    fabricate(runs_root)
    app = open_page("suspect")
    app.text_input(key="glossary_search").set_value("nat").run()
    assert any("unit of information" in m.value for m in app.markdown)
    app.text_input(key="glossary_search").set_value("zebra").run()
    assert any("No word like this" in c.value for c in app.caption)
