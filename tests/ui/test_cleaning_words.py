"""What is said of a cleaning's length, and that "measured" is said of nothing else."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mimic.config import DistillConfig
from mimic.run import Run, find_run
from ui import cleaning_words
from ui.subject import Subject, fields_of, named

FEW, SUIT, MEASURED = "are recommended", "suits that many images", "was measured on this example"


def demo(name: str, images: int) -> Subject:
    """The demo's inspection, said to be of a subject with so many images."""
    run = find_run("demo-inspect")
    result = {**(run.result() or {}), "data": {"images": images}}
    return Subject(run=run, result=result, fields={**fields_of(run), "subject": name})


@pytest.mark.parametrize(
    ("name", "images", "changed", "said"),
    [
        ("demo", 1_438, {"epochs": 100}, MEASURED),
        ("demo", 1_438, {"epochs": 100, "clean_fraction": 1.0}, FEW),  # 2,200 updates, not 100.
        ("demo", 1_438, {"epochs": 100, "batch_size": 16}, FEW),
        ("demo", 1_438, {"epochs": 99}, FEW),
        ("", 50_000, {"epochs": 100}, SUIT),
        ("", 50_000, {"epochs": 100, "clean_fraction": 0.5}, FEW),  # 39,000 updates.
        ("", 1_438, {"epochs": 100}, SUIT),
        ("", 1_438, {"epochs": 500}, FEW),
    ],
)
def test_a_length_is_called_what_it_is(
    name: str, images: int, changed: dict[str, Any], said: str
) -> None:
    config = DistillConfig(**changed)
    told = cleaning_words.length(demo(name, images), config)
    assert [said in told, sum(word in told for word in (FEW, SUIT, MEASURED))] == [True, 1]


def test_how_long_the_last_cleaning_took_is_told_with_its_machine_in_the_views_word(
    runs_root: Path,
    fabricate: Callable[[Path], None],
    distill_run: Callable[..., Run],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fabricate(runs_root)
    monkeypatch.setattr(cleaning_words, "is_bundled", lambda run: run.id == "demo-distill")
    subject = named("demo-inspect")
    assert subject is not None
    said = cleaning_words.length(subject, DistillConfig())
    assert "60 epochs took 24 s on the machine that made the demo." in said
    assert "round" not in said
    distill_run(runs_root, "distill-a")
    monkeypatch.setattr("ui.mode.DEFAULT", "simple")
    said = cleaning_words.length(subject, DistillConfig(epochs=1))
    assert "60 rounds took 24 s last time on this machine." in said
    assert "1 round;" in said
    assert "epoch" not in said
