"""S13 on a terminal: no name and no word of a stranger steers it or turns the order of reading."""

from __future__ import annotations

from pathlib import Path

import pytest

from mimic.cli import main
from mimic.config import DistillConfig
from mimic.printable import printable, printable_lines, shown
from mimic.run import Run, Status
from tests.conftest import SubjectFiles

EVIL = "e\x1b]0;PWNED\x07\x1b[31m\u202egpj\x9b2J"
FORBIDDEN = "\x1b\x07\u202e\x9b\r"


def steers(text: str) -> bool:
    return any(sign in text for sign in FORBIDDEN)


def test_s13_what_steers_a_terminal_becomes_a_question_mark() -> None:
    assert printable("a\x1b[31mb\u202e\n") == "a?[31mb??"
    assert printable_lines("a\r\nb\x07") == "a?\nb?"
    assert not steers(shown(EVIL))
    assert printable("é 中 \U0001f600") == "é 中 \U0001f600"
    assert len(shown("x" * 500)) == 60


@pytest.mark.parametrize("option", ["data", "encoder", "trigger"])
@pytest.mark.parametrize("exists", [True, False])
def test_s13_a_hostile_name_in_an_error_does_not_steer_the_terminal(
    tmp_path: Path,
    subject_files: SubjectFiles,
    capsys: pytest.CaptureFixture[str],
    option: str,
    exists: bool,
) -> None:
    path = tmp_path / f"{EVIL}.npz"
    if exists:
        path.write_bytes(b"\xff no file of ours")
    given = {"encoder": str(subject_files.encoder), "data": str(subject_files.data)}
    given[option] = str(path)
    words = [word for name, value in given.items() for word in (f"--{name}", value)]
    assert main(["inspect", *words, "--device", "cpu", "--root", str(tmp_path / "r")]) == 1
    said = capsys.readouterr()
    assert "gpj" in said.err
    assert not steers(said.err + said.out)
    run = next(Run(folder) for folder in (tmp_path / "r").iterdir())
    assert not steers(run.status().cause)  # Mended where the sentence is made, too.


def test_s13_what_inspect_says_of_a_file_outside_the_lent_folders_is_printable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIMIC_ROOTS", str(tmp_path / "lent"))
    assert main(["inspect", str(tmp_path / f"{EVIL}.pth")]) == 2
    said = capsys.readouterr().out
    assert "lies outside" in said
    assert not steers(said)


def test_s13_tables_of_runs_do_not_steer_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("one", "two"):
        config = DistillConfig(encoder=f"{EVIL}.pth", data=EVIL, normalization=f"{EVIL}{name}")
        run = Run.create(tmp_path, "distill", config, run_id=name)
        run.write_status(Status(state=f"failed{EVIL}", cause=EVIL))
        score = {"accuracy": 0.5, "accuracy_interval": [0.4, 0.6]}
        scores = {"student": score, EVIL: {**score, "accuracy": 0.5 + len(name) * 0.01}}
        run.write_json("result.json", {"scores": scores})
        run.record({"epoch": 0, EVIL: 0.5})
    for words in (["runs"], ["compare", "one", "two"], ["runs", "--note", "one", EVIL]):
        assert main([*words, "--root", str(tmp_path)]) == 0
        said = capsys.readouterr()
        assert said.out.strip()
        assert not steers(said.out + said.err)
