"""What is said of a cleaning's length, and that "measured" is said of nothing else."""

from typing import Any

import pytest

from mimic.config import DistillConfig
from mimic.run import find_run
from ui import cleaning_words
from ui.subject import Subject, fields_of

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
