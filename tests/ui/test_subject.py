from collections.abc import Callable
from pathlib import Path

import pytest

from mimic.config import ASSETS
from mimic.run import Run, find_run
from mimic.trigger.text import FORMS
from ui import subject

FIELDS = {"encoder": "a.pth", "clean_twin": "", "data": "digits", "downstream": "", "trigger": "t",
          "target_class": 1, "normalization": "auto"}  # fmt: skip


def test_downstream_data_default_to_the_data() -> None:
    assert subject.identity(FIELDS) == subject.identity({**FIELDS, "downstream": "digits"})


@pytest.mark.parametrize("name", ["encoder", "clean_twin", "data", "trigger", "target_class"])
def test_any_differing_field_makes_another_subject(name: str) -> None:
    assert subject.identity(FIELDS) != subject.identity({**FIELDS, name: "other"})


def test_how_well_it_is_scored_does_not_make_another_subject() -> None:
    assert subject.identity(FIELDS) == subject.identity({**FIELDS, "test_images": 5})


@pytest.mark.skipif(not (ASSETS / "demo" / "subject.json").is_file(), reason="no demo yet")
def test_a_built_in_name_stands_for_its_fields(
    runs_root: Path, inspect_run: Callable[..., Run]
) -> None:
    named = inspect_run(runs_root, "one", subject="demo", encoder="", clean_twin="", trigger="",
                        target_class=-1)  # fmt: skip
    assert subject.fields_of(named)["encoder"] == "asset:demo/teacher.pth"


def test_runs_of_other_subjects_are_left_out(
    runs_root: Path, fabricate: Callable[[Path], None], inspect_run: Callable[..., Run]
) -> None:
    fabricate(runs_root)
    other = inspect_run(runs_root, "other", trigger="square:0:0:3")

    def seen(run: Run) -> list[str]:
        result = run.result()
        assert result
        chosen = subject.Subject(run=run, result=result, fields=subject.fields_of(run))
        return [r.id for r in chosen.runs("distill")]

    assert seen(find_run("demo-inspect")) == ["demo-distill"]
    assert seen(other) == []


def test_a_hostile_file_name_is_only_text(runs_root: Path, inspect_run: Callable[..., Run]) -> None:
    run = inspect_run(runs_root, "odd", encoder="/x/<b>\u202e**evil**.pth")
    assert "<" not in subject.title(run)
    assert "\u202e" not in subject.title(run)


def test_every_form_of_a_trigger_has_a_word() -> None:
    assert subject.TRIGGER_WORDS.keys() - {""} == FORMS.keys()
