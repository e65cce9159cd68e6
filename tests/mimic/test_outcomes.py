"""What verbs print for a person: words and short figures, never a result's raw numbers."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mimic.cli import tell
from mimic.intervals import interval_of
from mimic.outcomes import rounded, told
from mimic.run import find_run
from mimic.tables import interval

SCORE = {"accuracy": 0.755, "accuracy_interval": [0.691, 0.8094], "test_images": 200, "asr": None,
         "asr_interval": None, "asr_all": None, "stamped_images": 0}  # fmt: skip
KINDS = ("inspect", "distill", "sweep", "information", "placement", "embed", "attention")


def finished(kind: str) -> dict[str, Any]:
    """What the verb has to tell of the demo's run."""
    run = find_run(f"demo-{kind}")
    return {"run": run.id, "directory": str(run.directory), "state": "finished"} | (
        run.result() or {}
    )


def lines_of(outcome: dict[str, Any]) -> list[list[str]]:
    """Cells of the printed tables: columns lie two or more spaces apart."""
    return [re.split(r"\s{2,}", line.strip()) for line in told(outcome).splitlines()]


@pytest.mark.parametrize("kind", KINDS)
def test_every_verb_tells_its_run_without_raw_numbers(kind: str) -> None:
    outcome = finished(kind)
    text = told(outcome)
    assert text.startswith(f"Run demo-{kind}: finished")
    assert outcome["directory"] in text.splitlines()[1]
    assert not re.search(r"\d\.\d{4}", text)
    assert "{" not in text
    assert "\n\n\n" not in text


def test_a_placement_at_one_place_alone_is_told_without_others() -> None:
    outcome = {**finished("placement"), "elsewhere": None}
    text = told(outcome)
    assert "trigger in its own place" in text
    assert "images at each place" in text
    assert "At other places" not in text
    assert "{" not in text


@pytest.mark.parametrize("kind", ["inspect", "distill"])
def test_scores_stand_beside_their_intervals_and_the_floor(kind: str) -> None:
    outcome = finished(kind)
    rows = {cells[0]: cells[1:] for cells in lines_of(outcome)}
    for name, title in (("teacher", "suspect"), ("clean_twin", "clean twin (floor)")):
        own = outcome["scores"][name]
        low, high = own["asr_interval"]
        assert rows[title][3:] == [
            f"{own['asr']:.1%}", f"{low:.1%} to {high:.1%}", str(own["stamped_images"]),
            f"{own['asr_all']:.1%}", interval(interval_of(own, "asr_all")),
            f"{own['stamped_accuracy']:.1%}", interval(own["stamped_accuracy_interval"]),
        ]  # fmt: skip
        assert rows[title][-1] != "-"
        assert rows[title][0] == f"{own['accuracy']:.1%}"
        assert rows[title][2] == str(own["test_images"])


def test_an_inspection_begins_with_its_verdict_and_lists_no_tensor() -> None:
    outcome = finished("inspect")
    text = told(outcome)
    assert text.split("\n\n")[1].startswith("Backdoor likely. ")
    assert f"mimic verdict {outcome['directory']}" in text
    assert not any(name in text for name in outcome["encoder"]["match"]["matched"])


def test_a_sweep_has_one_row_per_cell_and_its_sentence() -> None:
    outcome = finished("sweep")
    rows = [cells for cells in lines_of(outcome) if len(cells) == 8 and cells[2] == "all"]
    assert len(rows) == len(outcome["cells"])
    cell, row = outcome["cells"][4], rows[4]
    assert row[:4] == ["all", "10", "all", "0"]
    assert row[6] == f"{cell['asr']:.1%}"
    assert outcome["sentence"] in told(outcome)
    outcome["cells"][0] |= {"failure": "no memory", "accuracy": None, "asr": None}
    assert ["layer1", "10", "all", "0", "failed"] in lines_of(outcome)


def test_information_is_told_in_nats_per_layer_and_doubts_are_warnings() -> None:
    outcome = finished("information")
    rows = {cells[0]: cells[1:] for cells in lines_of(outcome)}
    assert rows["layer3"] == [f"{curve['layers']['layer3']:.2f}" for curve in outcome["curves"]]
    assert "a lower bound" in told(outcome)
    for curve in outcome["curves"]:
        curve["verdicts"] = {"stem": {"state": "converged", "sentence": "It is fine."}}
    assert "Warnings" not in told(outcome)
    outcome["curves"][0]["verdicts"]["stem"] = {"state": "noisy", "sentence": "Critics differ."}
    assert "Warnings\n  - stem of the suspect, clean: Critics differ." in told(outcome)


def test_probes_are_told_apart_and_what_was_not_measured_is_a_dash() -> None:
    probes = {"linear": {"teacher": SCORE, "student": None}, "knn": {"teacher": SCORE}}
    rows = lines_of({"run": "r", "directory": "d", "probes": probes, "target_class": None})
    same = ["suspect", "75.5%", "69.1% to 80.9%", "200", *["-"] * 7]
    assert rows[-2:] == [["linear", *same], ["knn", *same]]


def test_trainings_name_their_files_and_losses() -> None:
    outcome = {
        "run": "r", "directory": "d", "encoder_file": "encoder.safetensors",
        "badencoder_file": None, "target_class": 0, "losses": {"total": -0.98765, "epoch": 3},
        "warnings": ["The data are \x1b[2Jfew."],
    }  # fmt: skip
    assert lines_of(outcome)[3:] == [
        ["encoder", "encoder.safetensors"], ["target class", "0"], ["total", "-0.988"], [""],
        ["Warnings"], ["- The data are ?[2Jfew."],
    ]  # fmt: skip


def test_an_unknown_shape_is_short_json() -> None:
    assert json.loads(told({"seconds": 1.23456789, "seeds": [{"asr": 1 / 3}]})) == {
        "seconds": 1.235, "seeds": [{"asr": 0.3333}],
    }  # fmt: skip
    assert rounded(float("inf")) == float("inf")
    assert rounded((True, 12_345_678, "0.123456")) == [True, 12_345_678, "0.123456"]


def test_a_stopped_run_is_told_in_two_lines(tmp_path: Path) -> None:
    outcome = {"run": "r", "directory": str(tmp_path), "state": "stopped"}
    assert told(outcome) == f"Run r: stopped\n{tmp_path}"


def test_json_is_the_whole_result_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    outcome = finished("inspect")
    tell(dict(outcome), as_json=True)
    assert json.loads(capsys.readouterr().out) == outcome
    tell(dict(outcome), as_json=False)
    assert capsys.readouterr().out == f"{told(outcome)}\n"
