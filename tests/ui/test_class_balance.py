from collections.abc import Callable
from pathlib import Path

import pytest

from mimic.run import Run
from tests.ui.test_pages import open_page, words
from ui import class_balance


@pytest.mark.parametrize("classes", [2, 10, 21, 1000])
def test_any_number_of_classes_is_drawn_and_told(classes: int) -> None:
    counts = [(f"c{k}", 5 + k) for k in range(classes)]
    figure = class_balance.bars(counts)
    assert sorted(figure.data[0].y) == [count for _, count in counts]
    by_name = dict(zip(figure.data[0].customdata, figure.data[0].y, strict=True))
    assert by_name == dict(counts)
    said = class_balance.told(counts)
    assert f"{classes:,} classes; the rarest (c0) has 5 images" in said
    assert f"(c{classes - 1}) {4 + classes:,}." in said


def test_few_classes_are_named_many_are_ranked() -> None:
    few = class_balance.bars([("a", 3), ("b", 9)])
    assert list(few.layout.xaxis.ticktext) == ["a", "b"]
    many = class_balance.bars([(str(k), k) for k in range(40)])
    assert list(many.data[0].y) == sorted(range(40), reverse=True)


def test_no_labels_one_class_and_equal_classes_are_told() -> None:
    assert "No labels" in class_balance.told([])
    assert class_balance.told([("a", 3)]) == "One class (a)."
    assert class_balance.told([("a", 3), ("b", 3)]) == "2 classes of 3 images each."


def test_class_names_of_strangers_stay_text() -> None:
    data = {"class_names": ["<b>x</b>\u202e", "y"], "class_counts": [1, 2, 3]}
    names = [name for name, _ in class_balance.counts_of(data)]
    assert names == ["‹b›x‹/b›", "y", "2"]
    assert "[x](y)" not in class_balance.told([("[x](y)", 1), ("b", 2)])


def test_it_is_said_of_which_images_the_classes_are_counted(
    runs_root: Path, inspect_run: Callable[..., Run]
) -> None:
    run = inspect_run(runs_root)
    result = run.result() or {}
    result["downstream"] = result["data"] | {"name": "signs", "images": 12_000}
    run.write_json("result.json", result)
    told = words(open_page("suspect"))
    assert "**digits** (1,300 images: all training images): " in told
    assert "**signs** (12,000 images: the training images that the probe is fitted on" in told
