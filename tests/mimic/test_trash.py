import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mimic import job, workspace
from mimic.cli import main
from mimic.config import DistillConfig, EmbedConfig
from mimic.errors import ConfigError, MimicError, RunError
from mimic.run import (
    Run,
    Status,
    discard,
    empty_trash,
    find_run,
    list_runs,
    restore,
    trashed,
    write_note,
)
from mimic.run.notes import NOTE_LIMIT
from mimic.run.trash import DELETED, KEPT_SECONDS, deleted_at

ASSETS = Path(__file__).resolve().parents[2] / "assets"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("mimic.run.listing.ASSETS", tmp_path / "no-assets")
    return tmp_path / "runs"


def stopped(root: Path, run_id: str = "one", **settings: Any) -> Run:
    run = Run.create(root, "distill", DistillConfig(**settings), run_id=run_id)
    run.write_status(Status(state="stopped"))
    return run


def told(capsys: pytest.CaptureFixture[str], root: Path, *words: str) -> tuple[int, dict[str, Any]]:
    code = main([*words, "--root", str(root), "--json"])
    return code, json.loads(capsys.readouterr().out.strip().split("\n")[-1])


def test_a_note_is_kept_changed_and_removed(root: Path) -> None:
    run = stopped(root)
    assert run.note() == ""
    write_note(run, "  first try\nwith seed 0 ")
    assert Run(run.directory).note() == "first try\nwith seed 0"
    write_note(run, "")
    assert run.note() == ""
    with pytest.raises(ConfigError, match="characters"):
        write_note(run, "x" * (NOTE_LIMIT + 1))
    (run.directory / "note.json").write_text("{")
    assert run.note() == ""


def test_runs_that_ship_keep_no_notes_and_stay() -> None:
    run = Run(ASSETS / "demo" / "runs" / "demo-distill")
    for act in (lambda: write_note(run, "x"), lambda: discard(run)):
        with pytest.raises(RunError, match="ships with the project"):
            act()
    assert not (run.directory / "note.json").exists()


def test_a_deleted_run_comes_back_whole(root: Path) -> None:
    run = stopped(root)
    run.record({"epoch": 1})
    before = {p.name: p.read_bytes() for p in run.directory.iterdir()}
    gone = discard(run)
    assert list_runs(root) == []
    assert [r.id for r in trashed(root)] == ["one"]
    assert deleted_at(gone) > 0
    with pytest.raises(RunError):
        find_run("one", root)
    back = restore("one", root)
    assert {p.name: p.read_bytes() for p in back.directory.iterdir()} == before
    assert trashed(root) == []


def test_a_run_at_work_is_not_deleted(root: Path) -> None:
    run = Run.create(root, "distill", DistillConfig(), run_id="one")
    with pytest.raises(RunError, match="at work"):
        discard(run)
    assert find_run("one", root).directory == run.directory


def test_nothing_is_replaced_on_the_way(root: Path) -> None:
    discard(stopped(root))
    second = stopped(root)
    write_note(second, "the second")
    with pytest.raises(RunError, match="another run called 'one'"):
        restore("one", root)
    with pytest.raises(RunError, match="another run called 'one'"):
        discard(second)
    assert find_run("one", root).note() == "the second"


@pytest.mark.parametrize("name", ["two", "../one", "", ".", "/etc", "a/b", "one\x00"])
def test_only_what_the_trash_holds_comes_back(root: Path, name: str) -> None:
    stopped(root)
    with pytest.raises(RunError, match="The trash holds no run"):
        restore(name, root)


def test_emptying_the_trash_leaves_younger_runs(root: Path) -> None:
    for run_id in ("old", "young"):
        discard(stopped(root, run_id))
    old = root / ".trash" / "old"
    (old / DELETED).write_text(json.dumps({"deleted": deleted_at(Run(old)) - KEPT_SECONDS - 60}))
    stopped(root, "kept")
    assert empty_trash(root, older_than=KEPT_SECONDS) == ["old"]
    assert [run.id for run in trashed(root)] == ["young"]
    assert empty_trash(root) == ["young"]
    assert [run.id for run in list_runs(root)] == ["kept"]


def test_an_upload_of_a_deleted_run_stays_until_the_trash_is_emptied(root: Path) -> None:
    upload = root / "uploads" / "9f8e7d-encoder.pth"
    upload.parent.mkdir(parents=True)
    upload.write_bytes(b"x")
    discard(stopped(root, encoder=str(upload)))
    assert workspace.tidy(root, older_than=-1) == []
    empty_trash(root)
    assert workspace.tidy(root, older_than=-1) == [upload.resolve()]


def test_the_command_line_notes_deletes_restores_and_empties(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped(root)
    assert told(capsys, root, "runs", "--note", "one", "why")[1] == {"run": "one", "note": "why"}
    (listed,) = told(capsys, root, "runs")[1]["runs"]
    assert (listed["run"], listed["state"], listed["note"]) == ("one", "stopped", "why")
    assert told(capsys, root, "runs", "--delete", "one")[0] == 0
    assert [r["run"] for r in told(capsys, root, "runs", "--trash")[1]["trash"]] == ["one"]
    assert told(capsys, root, "runs", "--tidy")[1]["removed_runs"] == []
    assert told(capsys, root, "runs", "--restore", "one")[1]["state"] == "stopped"
    assert told(capsys, root, "runs", "--restore", "one")[0] == 1
    assert told(capsys, root, "runs", "--delete", "one")[0] == 0
    assert told(capsys, root, "runs", "--empty-trash")[1]["removed_runs"] == ["one"]
    code, answer = told(capsys, root, "runs", "--seed", "1")
    assert (code, "--rerun" in answer["error"]) == (1, True)


def test_the_command_line_compares(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stopped(root)
    stopped(root, "two", seed=5)
    found = told(capsys, root, "compare", "one", "two")[1]
    assert found["config"] == [{"setting": "seed", "values": {"one": 0, "two": 5}}]
    assert told(capsys, root, "compare", "one")[0] == 1


def test_a_repetition_has_the_same_settings_and_another_seed_if_asked(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Run] = []
    monkeypatch.setattr(job, "spawn", started.append)
    known = Run.create(root, "embed", EmbedConfig(seed=4, points=20), run_id="one")
    known.write_status(replace(known.status(), state="finished"))
    same, other = job.rerun(known, root=root), job.rerun(known, seed=7, root=root)
    assert [run.id for run in started] == [same.id, other.id]
    assert len({"one", same.id, other.id}) == 3
    assert same.config() == known.config()
    assert other.config() == replace(known.config(), seed=7)
    with pytest.raises(MimicError):
        job.rerun(known, seed=-1, root=root)
