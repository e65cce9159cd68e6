import csv
import io
from pathlib import Path

import numpy as np
import pytest

from mimic.config import EmbedConfig
from mimic.embedding_table import COLUMNS, SIDES, points_csv, spreadsheet_text
from mimic.errors import RunError
from mimic.run import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    made = Run.create(tmp_path, "embed", EmbedConfig(), run_id="e")
    places = np.arange(6, dtype=np.float32).reshape(3, 2)
    made.write_arrays("layer1-pca", before_clean=places, before_triggered=places + 10)
    made.write_arrays(
        "points", images=np.zeros((3, 4, 4, 3), np.uint8), labels=np.array([0, 1, 1]),
        before_clean=np.array([0, 1, 0]), before_triggered=np.array([1, 1, 1]),
    )  # fmt: skip
    made.write_json("result.json", {"class_names": ["=HYPERLINK()", "cat,\n dog"]})
    return made


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_every_point_is_one_line_with_its_class_place_and_prediction(run: Run) -> None:
    told = rows(points_csv(run, "layer1", "pca"))
    assert tuple(told[0]) == COLUMNS
    assert len(told) == 6
    last = told[-1]
    assert [last[k] for k in ("encoder", "image", "input", "class", "x", "y", "predicted")] == [
        "before", "2", "triggered", "1", "14.0000", "15.0000", "1",
    ]  # fmt: skip
    assert last["displacement"] == ""


def test_displacement_is_told_where_the_run_knows_it(run: Run) -> None:
    run.write_arrays("samples", before_displacement=np.array([0.1, 0.25, 0.5], np.float32))
    told = rows(points_csv(run, "layer1", "pca", images=[1]))
    assert [(r["image"], r["displacement"]) for r in told] == [("1", "0.2500")] * 2


def test_names_from_strangers_are_no_formulas_and_break_no_line(run: Run) -> None:
    text = points_csv(run, "layer1", "pca")
    assert len(text.splitlines()) == 7
    assert {r["class_name"] for r in rows(text)} == {"'=HYPERLINK()", "cat, dog"}
    for sign in "=+-@":
        assert spreadsheet_text(f" {sign}1").startswith("'")
    assert spreadsheet_text("\t=1").startswith("'")
    assert spreadsheet_text("\u202ecat") == "cat"


def test_a_map_that_was_not_written_is_refused(run: Run) -> None:
    with pytest.raises(RunError, match="no map of layer2"):
        points_csv(run, "layer2", "pca")


def test_one_side_alone_is_the_part_of_both_that_speaks_of_it(run: Run) -> None:
    places = np.arange(6, dtype=np.float32).reshape(3, 2)
    run.write_arrays("layer1-umap", before_clean=places, before_triggered=places + 10,
                     after_clean=places + 20, after_triggered=places + 30)  # fmt: skip
    both = rows(points_csv(run, "layer1", "umap"))
    parts = {side: rows(points_csv(run, "layer1", "umap", side=side)) for side in SIDES}
    assert [*parts["before"], *parts["after"]] == both
    for side, first in (("before", 0), ("after", 20)):
        drawn = [tuple(place) for start in (first, first + 10) for place in places + start]
        assert [(float(r["x"]), float(r["y"])) for r in parts[side]] == drawn
        assert {r["encoder"] for r in parts[side]} == {side}


def test_every_line_says_which_run_map_and_encoder_it_is_of(tmp_path: Path) -> None:
    config = EmbedConfig(encoder="asset:demo/teacher.pth", student="=distil-1", seed=3)
    run = Run.create(tmp_path, "embed", config, run_id="e")
    places = np.zeros((3, 2), np.float32)
    names = ("before_clean", "before_triggered", "after_clean", "after_triggered")
    run.write_arrays("layer1-pca", **dict.fromkeys(names, places))
    run.write_arrays("points", labels=np.array([0, 1, 1]))
    told = rows(points_csv(run, "layer1", "pca", images=[1]))
    assert {(r["encoder"], r["encoder_file"]) for r in told} == {
        ("before", "teacher.pth"), ("after", "'=distil-1"),
    }  # fmt: skip
    for row in told:
        assert [row[k] for k in ("run", "seed", "layer", "projection", "images")] == [
            "e", "3", "layer1", "pca", "3",
        ]  # fmt: skip
