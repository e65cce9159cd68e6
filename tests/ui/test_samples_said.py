"""Each figure says on which images it stands."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mimic.run import Run
from tests.ui.test_pages import open_page, without_escapes
from ui import companion_words, companions, curve_words, layer_view, progress_words, runs_comparison


@pytest.fixture
def looked(
    runs_root: Path, fabricate: Callable[[Path], None], attention_run: Callable[..., Run]
) -> Run:
    """A subject with a measurement, a distillation and a look into its layers."""
    fabricate(runs_root)
    return attention_run(runs_root)


def test_agreement_says_that_the_student_trained_on_its_images() -> None:
    assert "clean images of the training" in progress_words.agreement_sentence([{"agreement": 0.9}])
    aligned = {"values": {"a": [0.5, 0.9]}}
    assert "clean images of the training" in runs_comparison.ends(aligned, "agreement", ["a"])
    assert "clean images of the training" not in runs_comparison.ends(aligned, "loss", ["a"])


def test_the_chart_of_agreement_is_called_in_sample(looked: Run) -> None:
    path = looked.directory.parent / "demo-distill" / "metrics.jsonl"
    lines = [json.loads(line) | {"agreement": 0.9} for line in path.read_text().splitlines()]
    path.write_text("\n".join(map(json.dumps, lines)) + "\n")
    told = without_escapes(open_page("distil", mode="expert"))
    assert "**Agreement** on the training images" in told
    assert "0.900, measured on the clean images of the training" in told


def test_the_cross_check_names_the_images_of_each_number() -> None:
    rows = [{"network": "teacher", "layer": "stem", "probe_images": 359}]
    told = companion_words.images_said(rows, {"clean_images": 58})
    assert "58 clean images" in told
    assert "class accuracy: that is of 359 test images" in told
    assert "except" not in companion_words.images_said([{}], {"clean_images": 58})


def test_told_apart_is_said_to_rest_on_the_spread_of_the_critics() -> None:
    assert "Each critic holds out other ones of the same images" in companions.RULE
    curve = {"network": "teacher", "input": "clean", "layers": {"stem": 1.0}}
    assert curve_words.spread({"curves": [curve]}) == ""
    told = curve_words.spread({"curves": [{**curve, "bands": {"stem": [0.9, 1.1]}}]})
    assert "not measured" in told


def test_maps_say_that_the_curves_are_of_other_images(looked: Run) -> None:
    told = layer_view.other_images({"measured": 200}, {"clean_images": 58})
    assert "200 test images" in told
    assert "58 other, clean images" in told
    assert "test images; the curves above are of" in without_escapes(open_page("layers"))
