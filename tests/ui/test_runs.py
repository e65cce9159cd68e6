import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from mimic.run import Run, find_run, list_runs, note_machine, run_created, trashed, write_note
from mimic.verdict import TITLES
from ui import jobs, numbers

ROOT = Path(__file__).resolve().parents[2]
WriteRun = Callable[..., Run]


def open_runs(*chosen: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "ui" / "shell.py"), default_timeout=20).run()
    app.switch_page("../pages/runs.py")
    if chosen:
        app.query_params["runs"] = ",".join(chosen)
    app.run()
    assert not app.exception
    return app


def button(app: AppTest, label: str) -> Any:
    return next(b for b in app.button if b.label == label)


def said(app: AppTest) -> str:
    kinds = (app.markdown, app.header, app.subheader, app.caption, app.toast, app.error, app.info)
    return "\n".join(str(e.value) for kind in kinds for e in kind).replace("\\", "")


@pytest.fixture
def two(runs_root: Path, fabricate: Callable[[Path], None], distill_run: WriteRun) -> Path:
    """The runs of one subject and a second distillation with another seed and lower score."""
    fabricate(runs_root)
    run = distill_run(runs_root, "distill-b")
    about = run.about()
    about["config"]["seed"] = 8
    run.write_json("run.json", about)
    result = run.result() or {}
    result["scores"]["student"] |= {"asr": 0.4, "asr_interval": [0.35, 0.45]}
    run.write_json("result.json", result)
    return runs_root


def test_the_table_lists_every_run_with_its_key_figures(two: Path) -> None:
    write_note(find_run("distill-b", two), "=SUM(A1)")
    table = open_runs().dataframe[0].value
    assert set(table["run"]) == {r.id for r in list_runs(two)}
    row = table[table["run"] == "distill-b"].iloc[0]
    assert (row["kind"], row["state"], row["seed"]) == ("Cleaning", "finished", 8)
    assert (round(row["accuracy"], 1), round(row["asr"], 1)) == (96.6, 40.0)
    assert (row["interval"], round(row["floor"], 1)) == ("35.0–45.0%", 1.8)
    assert row["note"] == "'=SUM(A1)"


def test_filters_narrow_the_table_down(two: Path) -> None:
    app = open_runs()
    app.text_input(key="runs_search").set_value("DISTILL-b digits").run()
    assert list(app.dataframe[0].value["run"]) == ["distill-b"]
    app.text_input(key="runs_search").set_value("").run()
    app.multiselect(key="runs_kind").set_value(["embed", "inspect"]).run()
    assert set(app.dataframe[0].value["run"]) == {"demo-embed", "demo-inspect"}
    app.multiselect(key="runs_state").set_value(["failed"]).run()
    assert not app.exception
    assert "No run fits" in said(app)


def test_one_chosen_run_shows_its_record_command_and_link(two: Path) -> None:
    app = open_runs("distill-b")
    codes = [c.value for c in app.code]
    assert any("python -m mimic distill --seed 8" in c for c in codes)
    assert any(c.endswith("?runs=distill-b&mode=expert") for c in codes)
    assert "attack success 40.0% (35.0–45.0%), floor 1.8%" in said(app)
    assert app.query_params["runs"] in ("distill-b", ["distill-b"])


@pytest.mark.parametrize(
    ("field", "form"),
    [("encoder", "{}"), ("trigger", "npz-resize:{}"), ("trigger", "patch:{}:3:1:1")],
)
def test_no_command_names_an_upload_that_is_gone(
    two: Path, monkeypatch: pytest.MonkeyPatch, field: str, form: str
) -> None:
    monkeypatch.setenv("HOME", str(two.resolve().parent))
    run = find_run("distill-b", two)
    about = run.about()
    upload = two.resolve() / "uploads" / "mine-0123456789abcdef.pth"
    kept = replace(run.config(), **{field: form.format(upload)}).to_json()
    assert "~" in kept[field]  # As runs keep what lies at home.
    about["config"] = kept
    run.write_json("run.json", about)
    app = open_runs("distill-b")
    assert "the uploaded file mine.pth is no longer stored" in said(app).replace("\\", "")
    assert not any("python -m mimic distill" in c.value for c in app.code)
    upload.parent.mkdir()
    upload.write_bytes(b"weights")
    assert any("python -m mimic distill" in c.value for c in open_runs("distill-b").code)


def test_a_comparison_tells_what_differs_and_what_is_beyond_chance(two: Path) -> None:
    app = open_runs("demo-distill", "distill-b")
    assert "2 runs side by side" in said(app)
    measured = ("Accuracy of the cleaned encoder", "Attack success of the cleaned encoder")
    titles = (*(f"{title} while training" for title in measured), "Total loss")
    assert "Ring: the final score, A 96.6%" in said(app)
    assert all(f"**{title}**" in said(app) for title in titles)
    tables = [d.value for d in app.dataframe]
    settings = next(t for t in tables if "setting" in t)
    assert settings.to_dict("records") == [{"setting": "seed", "A": "0", "B": "8"}]
    scores = next(t for t in tables if "measure" in t)
    second = scores[scores["run"] == "B"].set_index("measure")["difference to A"]
    assert "beyond chance" in second["ASR"]
    assert "within chance" in second["accuracy"]
    assert "Versions that differ**: none" in said(app)
    assert "treat the runs as independent" in said(app)
    assert "ASR, all classes: also counts" in said(app)
    assert "10.1% of these test images" in said(app)  # 50 of the 497 are of the attacker's class.


def test_in_the_simple_view_a_comparison_is_told_in_sentences(
    two: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ui.mode.DEFAULT", "simple")
    app = open_runs("demo-distill", "distill-b")
    assert "**attack success** of the cleaned encoder: " in said(app)
    assert "40.0% in B; that is more than chance." in said(app)
    accuracy = next(line for line in said(app).splitlines() if "**accuracy** of" in line)
    assert "compare" not in accuracy
    assert "Newcombe" not in said(app)
    assert not any("measure" in d.value for d in app.dataframe)
    about = find_run("distill-b", two).about()
    about["config"]["trigger"] = "square:1:2:3"
    find_run("distill-b", two).write_json("run.json", about)
    app = open_runs("demo-distill", "distill-b")
    assert "measured with other trigger, so it does not compare." in said(app)
    assert accuracy in said(app).splitlines()  # It needs no trigger.


def test_cleanings_that_differ_in_the_seed_only_are_summed_up(two: Path) -> None:
    app = open_runs("demo-distill", "distill-b")
    assert "**The same cleaning with two seeds** (A: 0, B: 8)" in said(app)
    assert f"{TITLES['remains']}: 1 of 2 (B)." in said(app)
    assert "The worst of them counts" in said(app)
    about = find_run("distill-b", two).about()
    about["config"]["epochs"] += 1
    find_run("distill-b", two).write_json("run.json", about)
    assert "The same cleaning" not in said(open_runs("demo-distill", "distill-b"))


@pytest.mark.parametrize(
    ("view", "told"),
    [("simple", "white square of 3 px, row 1, column 2"),
     ("expert", "white square of 3 px, row 1, column 2 (square:1:2:3)")],
)  # fmt: skip
def test_settings_that_differ_are_told_in_words(
    two: Path, monkeypatch: pytest.MonkeyPatch, view: str, told: str
) -> None:
    monkeypatch.setattr("ui.mode.DEFAULT", view)
    run = find_run("distill-b", two)
    about = run.about()
    about["config"] |= {"trigger": "square:1:2:3", "target_class": -1}
    run.write_json("run.json", about)
    for app in (open_runs("demo-distill", "distill-b"), open_runs("distill-b")):
        table = next(d.value for d in app.dataframe if "setting" in d.value).set_index("setting")
        assert table.loc["trigger"].iloc[-1] == told
        assert table.loc["target class"].iloc[-1].startswith("found, as the most frequent answer")


def test_machines_that_differ_are_told_and_unknown_ones_are_no_equality(two: Path) -> None:
    here = {"device": "CPU", "threads": 1, "precision": "bfloat16", "processor": "x86_64",
            "instructions": "AVX512", "processes": 1}  # fmt: skip
    note_machine(find_run("distill-b", two), here)
    app = open_runs("demo-distill", "distill-b")
    facts = next(d.value for d in app.dataframe if "fact" in d.value).set_index("fact")
    assert facts.loc["CPU threads"].tolist() == ["not recorded", "1"]
    assert facts.loc["number format"].tolist() == ["float32", "bfloat16"]
    note_machine(find_run("demo-distill", two), here)
    app = open_runs("demo-distill", "distill-b")
    assert "what differs, or is not known of all**: none" in said(app)


def test_columns_that_tell_nothing_take_no_room(two: Path, inspect_run: WriteRun) -> None:
    def shown() -> list[str]:
        return list(open_runs().dataframe[0].proto.column_order)

    assert not {"subject", "note"} & set(shown())
    assert shown()[:3] == ["kind", "accuracy", "asr"]  # In sight on a narrow screen.
    assert "run" in shown()
    write_note(find_run("distill-b", two), "a note of many words " * 9)
    assert shown()[-1] == "note"
    inspect_run(two, "inspect-other", encoder="other.pth")
    assert shown()[-4:] == ["started", "seed", "subject", "note"]
    assert not {"duration", "state"} & set(shown())
    jobless = find_run("distill-b", two)
    jobless.write_status(replace(jobless.status(), state="failed"))
    assert "state" in shown()


def test_simple_names_columns_plainly_and_leaves_out_those_for_experts(
    two: Path, inspect_run: WriteRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "an-encoder-of-a-long-name-indeed.pth"
    inspect_run(two, "other", encoder=f"/x/{name}")

    def columns() -> tuple[list[str], str]:
        shown = open_runs().dataframe[0]
        labels = json.loads(shown.proto.columns)
        order = list(shown.proto.column_order)
        names = [labels[key].get("label", key) for key in order if key in labels]
        return names, " ".join(shown.value["subject"])

    expert, _ = columns()
    assert {"ASR", "ASR 95%", "Floor", "Seed"} <= set(expert)
    monkeypatch.setattr("ui.mode.DEFAULT", "simple")
    simple, encoders = columns()
    assert {"Attack success", "Accuracy"} <= set(simple)
    assert not {"On clean twin", "Duration"} & set(simple)  # The encoders' names need the room.
    assert not {"ASR", "ASR 95%", "Floor", "Seed", "Run"} & set(simple)
    assert name[:30] in encoders


def test_without_a_twin_or_a_trigger_no_empty_columns_stand_there(
    runs_root: Path, inspect_run: WriteRun
) -> None:
    run = inspect_run(runs_root, "inspect-plain")
    result = run.result() or {}
    result["scores"] = {"teacher": {"accuracy": 0.9, "asr": None}, "clean_twin": None}
    run.write_json("result.json", result)
    app = open_runs()
    app.text_input(key="runs_search").set_value("inspect-plain").run()
    assert not {"interval", "floor"} & set(app.dataframe[0].proto.column_order)


def test_unknown_runs_in_a_link_are_passed_over(two: Path) -> None:
    app = open_runs("gone", "<script>", "demo-distill")
    assert app.session_state["runs_chosen"] == ["demo-distill"]


def test_a_note_is_kept(two: Path) -> None:
    app = open_runs("distill-b")
    app.text_area(key="note-distill-b").set_value("the better seed")
    button(app, "Save note").click().run()
    assert not app.exception
    assert find_run("distill-b", two).note() == "the better seed"
    assert "Note saved." in said(app)


def test_a_deletion_can_be_undone_until_the_next_action(two: Path) -> None:
    app = open_runs("distill-b")
    button(app, "Delete").click().run()
    assert [r.id for r in trashed(two)] == ["distill-b"]
    assert "Cleaning of Demo: handwritten digits, begun" in said(app)
    assert ", is in the trash" in said(app)
    assert "distill-b is" not in said(app)
    app.text_input(key="runs_search").set_value("demo").run()
    button(app, "Undo").click().run()
    assert not app.exception
    assert trashed(two) == []
    assert app.session_state["runs_chosen"] == ["distill-b"]
    assert not [b for b in app.button if b.label == "Undo"]


def test_the_trash_gives_back_and_is_emptied_on_purpose_only(two: Path) -> None:
    app = open_runs("distill-b")
    button(app, "Delete").click().run()
    assert button(app, "Empty the trash").disabled
    button(app, "Restore").click().run()
    assert find_run("distill-b", two)
    button(app, "Delete").click().run()
    app.checkbox(key="runs_trash_sure").check().run()
    button(app, "Empty the trash").click().run()
    assert trashed(two) == []
    assert not (two / ".trash" / "distill-b").exists()
    assert not app.exception


def test_a_run_at_work_is_neither_deleted_nor_reported(
    runs_root: Path, distill_run: WriteRun, fabricate: Callable[[Path], None]
) -> None:
    fabricate(runs_root)
    distill_run(runs_root, "distill-now", "running")
    app = open_runs("distill-now")
    assert "At work" in said(app)
    assert button(app, "Delete").disabled
    assert not app.get("download_button")


@pytest.mark.parametrize(("label", "same"), [("Run again", True), ("Run again, new seed", False)])
def test_a_run_is_repeated(
    two: Path, monkeypatch: pytest.MonkeyPatch, label: str, same: bool
) -> None:
    monkeypatch.setattr("mimic.job.spawn", lambda _run: None)
    app = open_runs("distill-b")
    button(app, label).click().run()
    assert not app.exception
    (chosen,) = app.session_state["runs_chosen"]
    config = find_run(chosen, two).config()
    assert chosen not in {"demo-distill", "distill-b"}
    assert (config.seed == 8) is same


def test_sweeps_and_measurements_are_compared_too(two: Path, sweep_run: WriteRun) -> None:
    sweep_run(two, "sweep-a")
    sweep_run(two, "sweep-b")
    app = open_runs("sweep-a", "sweep-b")
    assert "Attack success by layers × weight per layer" in said(app)


def test_runs_of_different_kinds_have_no_curves_in_common(two: Path) -> None:
    assert "no curves in common" in said(open_runs("demo-distill", "demo-embed"))


def test_damaged_runs_are_told_not_thrown(two: Path) -> None:
    (two / "distill-b" / "status.json").write_text("{")
    (two / "demo-distill" / "result.json").write_text("{")
    app = open_runs("demo-distill", "distill-b")
    assert "damaged" in said(app)


def test_runs_of_the_address_that_are_not_here_are_told(two: Path) -> None:
    app = open_runs("distill-nosuch")
    assert "a run that is not here (distill-nosuch): deleted, or made on another machine" in said(
        app
    )
    app = open_runs("distill-b", "[x](y)", *(f"gone-{i}" for i in range(9)))
    (info,) = [i.value for i in app.info]
    assert "\\[x\\]\\(y\\)" in info
    assert "and 7 more" in info
    assert app.multiselect(key="runs_chosen").value == ["distill-b"]
    app.multiselect(key="runs_chosen").set_value(["demo-embed"]).run()
    assert not app.info
    assert not open_runs("distill-b").info


def test_a_refused_upload_that_is_gone_is_called_as_given_and_not_run_again(
    two: Path, inspect_run: WriteRun
) -> None:
    name = "model-0123456789abcdef.pth"
    run = inspect_run(two, "inspect-x", encoder=str(two / "uploads" / name))
    run.write_status(replace(run.status(), state="failed", cause=f"'{name}' is a text."))
    app = open_runs("inspect-x")
    assert "'model.pth' is a text." in said(app)
    assert button(app, "Run again").disabled
    assert "model.pth is no longer there" in button(app, "Run again").help.replace("\\", "")
    assert not button(open_runs("distill-b"), "Run again").disabled


@pytest.mark.parametrize("name", ["x" * 300 + ".pth", "/elsewhere/e.pth"])
def test_a_run_whose_file_cannot_be_looked_at_keeps_its_card_and_delete(
    two: Path, inspect_run: WriteRun, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("MIMIC_ROOTS", str(two))
    inspect_run(two, "inspect-x", encoder=str(two / name))
    app = open_runs("inspect-x")
    assert not app.exception
    assert button(app, "Run again").disabled
    outside = "lies outside the folders" in button(app, "Run again").help
    assert outside == name.startswith("/")
    assert not button(app, "Delete").disabled


def test_table_and_names_tell_the_same_time(two: Path) -> None:
    run = find_run("distill-b", two)
    run.write_status(replace(run.status(), started=run_created(run) + 90))
    table = open_runs().dataframe[0].value
    begun = table[table["run"] == "distill-b"].iloc[0]["started"]
    assert f"{begun:%H:%M}" in numbers.moment(run_created(run))


@pytest.mark.parametrize(
    ("prefix", "begins"), [(".venv", ".venv/bin/python -m mimic "), ("/usr", "python -m mimic ")]
)
def test_the_command_names_the_python_that_knows_the_project(
    two: Path, monkeypatch: pytest.MonkeyPatch, prefix: str, begins: str
) -> None:
    monkeypatch.setattr("sys.prefix", str(ROOT / prefix))
    run = find_run("distill-b", two)
    assert jobs.in_terminal(run.kind, run.config()).startswith(begins)


def test_simple_shows_a_run_without_seed_and_device_and_its_command_one_fold_away(
    two: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = open_runs("distill-b")
    assert "seed 8" in said(app)
    assert not [e for e in app.expander if e.label == "The same in a terminal"]
    monkeypatch.setattr("ui.mode.DEFAULT", "simple")
    app = open_runs("distill-b")
    assert not app.exception
    assert "seed 8" not in said(app)
    assert "clean twin 1.8%" in said(app)
    assert [e for e in app.expander if e.label == "The same in a terminal"]
    assert "Run again, other random choices" in [b.label for b in app.button]


def test_the_curve_compared_is_kept_in_the_address_and_names_its_files(two: Path) -> None:
    app = open_runs("demo-distill", "distill-b")
    assert not app.exception
    app.get_by_key("curve").set_value("clone").run()
    assert not app.exception
    assert app.query_params["curve"] in ("clone", ["clone"])
    assert any("curve=clone" in c.value for c in app.code)
    offered = [b.proto.id for b in app.get("download_button")]
    assert any("compare-clone" in one for one in offered)
    assert not any("compare-loss" in one for one in offered)


def test_a_sweep_tells_all_its_seeds(two: Path, sweep_run: WriteRun) -> None:
    run = sweep_run(two)
    assert "seeds 0, 1" in said(open_runs(run.id))
