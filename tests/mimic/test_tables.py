"""What bookkeeping commands print for a person, and that a reader may leave early."""

import dataclasses
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mimic import tables
from mimic.cli import EXIT_READER_GONE, main
from mimic.comparison import compare, record
from mimic.config import DistillConfig
from mimic.run import Run, Status, find_run, write_note
from mimic.score_differences import UNPAIRED
from mimic.subjects import subject_fields
from mimic.verdict import of_suspect

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two runs: one with scores and a note, one that has only begun."""
    folder = tmp_path / "runs"
    config = DistillConfig(subject="demo", **subject_fields("demo"))
    scored = Run.create(folder, "distill", config, run_id="scored")
    score = {"accuracy": 0.9284, "accuracy_interval": [0.89, 0.95], "asr": 1.0,
             "asr_interval": [0.985, 1.0]}  # fmt: skip
    scores = {"student": score, "clean_twin": {"asr": 0.006}}
    scored.write_json("result.json", {"scores": scores, "seconds": 2.0})
    write_note(scored, "worth\nkeeping \x1b[31mred")
    Run.create(folder, "distill", config, run_id="begun")
    return folder


def said(capsys: pytest.CaptureFixture[str], root: Path, *words: str) -> str:
    capsys.readouterr()
    assert main([*words, "--root", str(root)]) == 0
    return capsys.readouterr().out


def test_runs_are_listed_in_columns(capsys: pytest.CaptureFixture[str], root: Path) -> None:
    head, *lines = said(capsys, root, "runs").splitlines()
    assert head.split() == [
        "RUN", "KIND", "STATE", "SUBJECT", "ACCURACY", "ASR", "95%", "INTERVAL", "FLOOR", "STARTED",
        "NOTE",
    ]  # fmt: skip
    row = next(line for line in lines if line.startswith("scored "))
    assert "Demo: handwritten digits" in row
    assert row[: head.index("ACCURACY") + 8].endswith("  92.8%")
    own = row[head.index("ACCURACY") + 8 : head.index("STARTED")]
    assert re.split(r"\s{2,}", own.strip()) == ["100.0%", "98.5% to 100.0%", "0.6%"]
    assert row[head.index("NOTE") :] == "worth keeping ?[31mred"
    begun = next(line for line in lines if line.startswith("begun "))
    assert begun[head.index("ACCURACY") :].split()[:2] == ["-", "-"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--note", "begun", "why"), "Noted beside run begun."),
        (("--note", "scored", ""), "Removed the note of run scored."),
        (("--trash",), "The trash is empty."),
        (("--empty-trash",), "Removed 0 runs for good."),
        (("--tidy",), "Removed 0 uploads and 0 deleted runs."),
        (("--delete", "scored"), "Run scored is in the trash"),
    ],
)
def test_what_is_done_to_a_run_is_told_in_a_sentence(
    capsys: pytest.CaptureFixture[str], root: Path, words: tuple[str, ...], sentence: str
) -> None:
    if words[0] == "--delete":
        find_run("scored", root).write_status(Status(state="finished"))
    assert said(capsys, root, "runs", *words).startswith(sentence)


def test_a_comparison_is_told_in_tables(capsys: pytest.CaptureFixture[str], root: Path) -> None:
    about = find_run("begun", root).about()
    about["config"]["seed"] = 7
    find_run("begun", root).write_json("run.json", about)
    find_run("begun", root).write_json(
        "result.json", {"scores": {"student": {"accuracy": 0.5, "accuracy_interval": [0.4, 0.6]}}}
    )
    told = said(capsys, root, "compare", "scored", "begun")
    assert "A  scored  distill, starting" in told
    assert "setting  A  B\nseed     0  7" in told
    assert "threads       not recorded  not recorded" in told
    assert "Versions that differ: none" in told
    # Newcombe's interval of 0.5 (0.4 to 0.6) less 0.9284 (0.89 to 0.95), worked out by hand.
    assert "-42.8 points (-53.1 to -32.1), beyond chance on these test images\n" in told
    assert f"{UNPAIRED}\n\nThe runs differ in the seed only (0, 7)." in told
    assert "  accuracy: 71.4% on average, from 50.0% to 92.8%\n" in told
    about["config"]["epochs"] += 1
    find_run("begun", root).write_json("run.json", about)
    assert f"{UNPAIRED}\n\nOne seed" in said(capsys, root, "compare", "scored", "begun")
    with pytest.raises(json.JSONDecodeError):
        json.loads(told)


def test_our_own_commit_is_not_listed_as_a_library(
    capsys: pytest.CaptureFixture[str], root: Path
) -> None:
    for name, versions in (("scored", ("2.15.0", "ab12")), ("begun", ("2.16.0", "cd34"))):
        about = find_run(name, root).about()
        about["versions"] = dict(zip(("torch", "commit"), versions, strict=True))
        about["inputs"] = {"commit": {"sha256": versions[1]}}  # A file may have any name.
        find_run(name, root).write_json("run.json", about)
    told = said(capsys, root, "compare", "scored", "begun")
    assert "\ntorch                  2.15.0  2.16.0\nMIMIC Studio's commit  ab12    cd34\n" in told
    assert "\ncommit  ab12  cd34\n" in told


def test_success_over_all_classes_is_explained_by_the_share_of_these_images() -> None:
    told = tables.comparison(compare([record(find_run("demo-inspect")),
                                      record(find_run("demo-distill"))]))  # fmt: skip
    assert "all classes" not in told  # Suspect and twin agree, and students are not compared.
    row = {"values": {"a": {"target_share": 38 / 359}, "b": {"target_share": 0.2}}}
    assert "(10.6% to 20.0% of the test images)" in tables.about_all_classes([row])
    assert tables.about_all_classes([{"values": {"a": {"target_share": None}}}]) == ""


def test_curves_end_in_the_unit_of_the_scores() -> None:
    found = {
        name: {"epochs": [1], "values": {"a": [0.9284], "b": [None]}} for name in ("asr", "loss")
    }
    found["loss"]["values"]["b"] = found["asr"]["values"]["b"] = [0.5]
    told = [line.split() for line in tables.curves(found, {"a": "A", "b": "B"}).splitlines()]
    assert told[2:] == [["ASR", "92.8%", "50.0%"], ["loss", "0.928", "0.500"]]


def test_what_seeds_could_move_is_told_where_encoders_were_trained_apart() -> None:
    row = {"encoder": "teacher", "differences": [{"run": "b"}]}
    same = {"scores": [row], "inputs": [{"input": "data"}]}
    assert tables.about_seeds(same) == ""
    assert tables.about_seeds({**same, "inputs": [{"input": "encoder"}]}).startswith(
        "One seed each"
    )
    student = {**row, "encoder": "student"}
    assert tables.about_seeds({**same, "scores": [student]}).startswith("One seed each")
    assert tables.about_seeds({"scores": [], "inputs": [{"input": "encoder"}]}) == ""


def test_json_stays_the_same_object(capsys: pytest.CaptureFixture[str], root: Path) -> None:
    for words, keys in (
        (["runs"], {"runs"}),
        (["compare", "scored", "begun"], {
            "runs", "config", "inputs", "versions", "machine", "scores", "curves", "information",
            "sweep", "seeds",
        }),
        (["verdict", "demo-inspect"], {
            "title", "level", "headline", "reasons", "confidence", "checks", "missing", "actions",
        }),
    ):  # fmt: skip
        assert set(json.loads(said(capsys, root, *words, "--json"))) == keys


def test_the_list_of_runs_has_key_figures_as_json_too(
    capsys: pytest.CaptureFixture[str], root: Path
) -> None:
    listed = {r["run"]: r for r in json.loads(said(capsys, root, "runs", "--json"))["runs"]}
    names = ("accuracy", "asr", "asr_interval", "floor_asr")
    assert [listed["scored"][name] for name in names] == [0.9284, 1.0, [0.985, 1.0], 0.006]
    assert [listed["begun"][name] for name in names] == [None] * 4


def test_a_verdict_is_told_in_sentences(capsys: pytest.CaptureFixture[str], root: Path) -> None:
    told = said(capsys, root, "verdict", "demo-inspect")
    assert told.startswith("Backdoor likely. With the trigger on")
    assert "\nWhat to do\n  - " in told
    assert (
        "Checked: accuracy, attack success, comparison with a clean twin, image by image." in told
    )


def test_tables_without_scores_and_curves_leave_no_holes() -> None:
    parts = ("config", "machine", "inputs", "versions", "scores")
    found = {
        "runs": [{"run": r, "kind": "embed", "state": "finished"} for r in ("a", "b")],
        **{part: [] for part in parts}, "curves": {},
    }  # fmt: skip
    assert "\n\n\n" not in tables.comparison(found)
    assert tables.comparison(found).endswith("Versions that differ: none")


@pytest.mark.parametrize("words", [["runs"], ["runs", "--json"], ["runs", "--help"]])
def test_a_reader_that_leaves_ends_the_command_quietly(words: list[str], root: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)  # As after ``| head`` has seen enough, without a race.
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "mimic", *words], cwd=ROOT, stdout=writing,
            stderr=subprocess.PIPE, text=True, env={**os.environ, "MIMIC_RUNS": str(root)},
            check=False,
        )  # fmt: skip
    finally:
        os.close(writing)
    assert ended.stderr == ""
    quietly = (0, EXIT_READER_GONE) if "--help" in words else (EXIT_READER_GONE,)
    assert ended.returncode in quietly  # argparse itself may drop what it could not print.


def test_head_takes_its_lines_from_a_pipe(root: Path) -> None:
    line = f"set -o pipefail; {sys.executable} -m mimic runs | head -n 1"
    ended = subprocess.run(
        ["bash", "-c", line], cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, "MIMIC_RUNS": str(root)}, check=False,
    )  # fmt: skip
    assert ended.stdout.startswith("RUN ")
    assert ended.stderr == ""
    assert ended.returncode in (0, EXIT_READER_GONE)


def test_measurements_and_sweeps_are_compared_in_tables_too() -> None:
    runs = [record(find_run("demo-information")), record(find_run("demo-sweep"))]
    twice = [*runs, *(dataclasses.replace(r, id=f"{r.id}-2") for r in runs)]
    told = tables.comparison(compare(twice))
    nats = runs[0].result["curves"][0]["layers"]["layer1"]
    assert re.search(rf"suspect, clean +layer1 +{nats:.2f} +- +{nats:.2f} +-\n", told)
    cell = runs[1].result["table"][0]
    shares = rf"- +{100 * cell['asr']:.1f}% +- +{100 * cell['asr']:.1f}%"
    assert re.search(rf"{cell['scale']:,g} +{cell['losses']} +ASR +{shares}\n", told)


def test_where_nothing_could_be_checked_this_is_said() -> None:
    found = of_suspect({"scores": {}, "health": {}}).to_json()
    assert "Checked: nothing." in tables.verdict(found)
