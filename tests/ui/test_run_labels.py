"""How runs and encoders are named where one picks among several."""

import re
from pathlib import Path

from mimic.config import DistillConfig, InspectConfig
from mimic.run import Run, write_note
from ui import companions, distillation, jobs, numbers, subject


def distil(root: Path, name: str, **fields: object) -> Run:
    return Run.create(root, "distill", DistillConfig(encoder="a.pth", **fields), run_id=name)


def test_distillations_are_told_apart_by_what_was_set(tmp_path: Path) -> None:
    run = distil(tmp_path, "distill-ab12", epochs=20, clone_weight=0.0, layers=("layer1",), seed=3)
    assert jobs.traits(run) == "20 epochs, no clone loss, layer1, seed 3"
    assert re.fullmatch(r"\d+ \w+, \d\d:\d\d · 20 epochs, .* · ab12", jobs.label(run))
    plain = distil(tmp_path, "distill-cd34", epochs=7)
    assert jobs.traits(plain) == "7 epochs"


def test_a_label_stays_the_same_while_the_run_works(tmp_path: Path) -> None:
    run = distil(tmp_path, "distill-ab12")
    before = jobs.label(run)
    run.write_json("status.json", {"state": "finished", "progress": 1.0})
    assert jobs.label(run) == before


def test_a_note_takes_the_place_of_the_settings(tmp_path: Path) -> None:
    run = distil(tmp_path, "distill-ab12", epochs=20)
    write_note(run, "the better one")
    assert "· the better one ·" in jobs.label(run)
    assert "20 epochs" not in jobs.label(run)


def test_a_moment_is_a_day_and_a_time() -> None:
    assert re.fullmatch(r"1[45] Nov, \d\d:\d\d", numbers.moment(1_700_000_000))


def look_at(root: Path, name: str, created: float, **fields: object) -> Run:
    config = InspectConfig(encoder="/x/encoder.safetensors", data="digits", **fields)
    run = Run.create(root, "inspect", config, run_id=name)
    run.write_json("run.json", {**run.about(), "created": created})
    return run


def test_inspections_of_one_file_are_told_apart_in_words(tmp_path: Path) -> None:
    plain = look_at(tmp_path, "inspect-89d6", 1_700_000_000)
    stamped = look_at(tmp_path, "inspect-6ca7", 1_700_000_060, trigger="square:1:1:4")
    alone = subject.told_apart([plain])
    assert alone == {"inspect-89d6": "encoder.safetensors · digits"}
    first, second = subject.told_apart([plain, stamped]).values()
    assert first.endswith("· no trigger")
    assert second.endswith("· white square")
    assert max(map(len, (first, second))) <= 34  # What the sidebar shows of it.


def test_inspections_that_differ_in_nothing_get_their_time_and_at_last_their_id(
    tmp_path: Path,
) -> None:
    runs = [look_at(tmp_path, f"inspect-{k}{k}{k}{k}", 1_700_000_000 + 3600 * (k > 1))
            for k in (1, 2, 3)]  # fmt: skip
    alone, *twins = subject.told_apart(runs).values()
    assert re.search(r"no trigger · 1[45] Nov, \d\d:\d\d$", alone)
    assert [name[-4:] for name in twins] == ["2222", "3333"]


def test_layer_names_stand_upright_in_two_lines() -> None:
    assert companions.folded(["stem", "layer12"]) == ["stem", "layer<br>12"]


def test_two_distillations_lead_to_their_comparison_oldest_first(
    tmp_path: Path, monkeypatch
) -> None:
    runs = {}
    for name in ("c", "b", "a"):  # Newest first.
        runs[name] = distil(tmp_path, name)
        runs[name].write_json("result.json", {})
    told: list[str] = []
    monkeypatch.setattr(distillation.frame, "link", lambda *_, runs: told.append(runs))
    for name in ("c", "b", "a"):
        distillation.compare_link(runs, runs[name])
    distillation.compare_link({"a": runs["a"]}, runs["a"])
    assert told == ["b,c", "a,b", "a,b"]
