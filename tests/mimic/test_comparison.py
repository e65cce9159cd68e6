import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mimic.answers import packed
from mimic.comparison import Record, align, compare, machine_of, record
from mimic.config import DistillConfig
from mimic.errors import ConfigError
from mimic.intervals import difference_interval, paired_difference_interval
from mimic.run import Run, note_machine
from mimic.score_differences import MIXED, PAIRED, UNPAIRED, about_pairs, target_shares


def scored(value: float, interval: list[float] | None, **more: Any) -> dict[str, Any]:
    return {"scores": {"student": {"accuracy": value, "accuracy_interval": interval, **more}}}


def distilled(run_id: str, **parts: Any) -> Record:
    return Record(**{"id": run_id, "kind": "distill", "config": {}, **parts})


def test_only_what_differs_is_told() -> None:
    one = distilled(
        "a",
        config={"seed": 0, "epochs": 9, "layers": ["layer1"]},
        inputs={"encoder": {"path": "x", "sha256": "1"}, "data": {"images": 5, "sha256": "2"}},
        versions={"torch": "2.15.0", "numpy": "2"},
    )
    two = distilled(
        "b",
        config={"seed": 1, "epochs": 9, "layers": ["layer1"]},
        inputs={"encoder": {"path": "moved", "sha256": "1"}, "data": {"images": 5, "sha256": "3"}},
        versions={"torch": "2.16.0", "numpy": "2"},
    )
    found = compare([one, two])
    assert found["config"] == [{"setting": "seed", "values": {"a": 0, "b": 1}}]
    assert found["inputs"] == [{"input": "data", "values": {"a": "2", "b": "3"}}]
    assert found["versions"] == [{"component": "torch", "values": {"a": "2.15.0", "b": "2.16.0"}}]


def test_a_setting_that_only_one_kind_has_differs() -> None:
    found = compare([distilled("a", config={"epochs": 3}), distilled("b", config={})])
    assert found["config"] == [{"setting": "epochs", "values": {"a": 3, "b": None}}]


def test_differences_are_taken_to_the_first_run_and_judged_by_their_interval() -> None:
    records = [
        distilled("a", result=scored(0.90, [0.88, 0.92])),
        distilled("b", result=scored(0.91, [0.89, 0.93])),
        distilled("c", result=scored(0.99, [0.98, 0.995])),
        distilled("d", result=scored(0.5, None)),
    ]
    (row,) = compare(records)["scores"]
    assert (row["encoder"], row["measure"]) == ("student", "accuracy")
    assert row["values"]["a"] == {"value": 0.90, "interval": [0.88, 0.92]}
    said = {d["run"]: d for d in row["differences"]}
    assert {d["against"] for d in row["differences"]} == {"a"}
    assert [said[run]["exceeds"] for run in "bcd"] == [False, True, None]
    assert said["c"]["difference"] == pytest.approx(0.09)
    assert said["c"]["interval"][0] > 0


def test_success_over_all_classes_has_an_interval_and_the_share_that_explains_it() -> None:
    own = {"asr_all": 0.25, "test_images": 200, "stamped_images": 180}
    (_, row) = compare([distilled(run, result=scored(0.9, None, **own)) for run in ("a", "b")])[
        "scores"
    ]
    assert row["values"]["a"] == {
        "value": 0.25, "interval": pytest.approx(wilson(50, 200), abs=1e-4), "target_share": 0.1,
    }  # fmt: skip
    assert row["differences"][0]["exceeds"] is False
    assert target_shares([row]) == (0.1, 0.1)
    assert target_shares([]) is None


def wilson(successes: int, trials: int) -> tuple[float, float]:
    z, p = 1.959964, successes / trials
    middle = (p + z * z / (2 * trials)) / (1 + z * z / trials)
    reach = z / (1 + z * z / trials) * math.sqrt(p * (1 - p) / trials + z * z / (4 * trials**2))
    return middle - reach, middle + reach


def test_the_interval_of_a_difference_is_newcombes() -> None:
    # Newcombe 1998, table II, example (a), method 10: 56/70 - 48/80.
    low, high = difference_interval(48 / 80, wilson(48, 80), 56 / 70, wilson(56, 70))
    assert (low, high) == (pytest.approx(0.0524, abs=1e-4), pytest.approx(0.3339, abs=1e-4))


def test_the_interval_of_a_paired_difference_is_newcombes() -> None:
    # Complete response before and after consolidation (Cavo et al. 2012), worked out in Fagerland,
    # Lydersen and Laake, Statistical Analysis of Contingency Tables, 2017, chapter 8.
    low, high = paired_difference_interval(both=59, before=16, after=6, neither=80)
    assert (low, high) == (pytest.approx(-0.1186, abs=6e-5), pytest.approx(-0.0046, abs=6e-5))


def test_a_paired_difference_mirrors_and_needs_no_spread() -> None:
    low, high = paired_difference_interval(both=5, before=2, after=9, neither=4)
    assert paired_difference_interval(both=5, before=9, after=2, neither=4) == (
        pytest.approx(-high), pytest.approx(-low),
    )  # fmt: skip
    for same in (
        {"both": 30, "neither": 0},
        {"both": 0, "neither": 30},
        {"both": 15, "neither": 15},
    ):
        low, high = paired_difference_interval(before=0, after=0, **same)
        assert low <= 0 <= high


def answered(taken: np.ndarray, images: np.ndarray) -> dict[str, Any]:
    labels = np.zeros(len(taken), dtype=int)
    right = np.where(taken, 0, 1)
    kept = packed(images, labels, None, {"student": (right, None)})
    share = float(taken.mean())
    interval = wilson(int(taken.sum()), len(taken))
    return {"answers": kept, "result": scored(share, list(interval), test_images=len(taken))}


def test_answers_to_the_same_images_are_paired_and_others_are_not() -> None:
    images = np.arange(200 * 12, dtype=np.uint8).reshape(200, 2, 2, 3)
    first = np.arange(200) < 150
    second = first | (np.arange(200) >= 190)  # Ten more images, no other answer changed.
    one, two = distilled("a", **answered(first, images)), distilled("b", **answered(second, images))
    (row,) = compare([one, two])["scores"]
    (found,) = row["differences"]
    assert found["paired"] is True
    assert found["exceeds"] is True
    assert found["interval"] == paired_difference_interval(150, 0, 10, 40)
    elsewhere = distilled("b", **answered(second, images + 1))
    (alone,) = compare([one, elsewhere])["scores"][0]["differences"]
    assert (alone["paired"], alone["exceeds"]) == (False, False)
    assert about_pairs([row]) == PAIRED
    assert about_pairs(compare([one, elsewhere])["scores"]) == UNPAIRED
    mixed = compare([one, two, replace(elsewhere, id="c")])["scores"]
    assert about_pairs(mixed) == MIXED
    assert about_pairs([]) == ""


def test_answers_that_do_not_give_the_stored_score_are_not_paired() -> None:
    images = np.zeros((200, 2, 2, 3), dtype=np.uint8)
    kept = answered(np.arange(200) < 150, images)
    other = {**kept, "result": scored(0.8, [0.74, 0.85])}
    (row,) = compare([distilled("a", **kept), distilled("b", **other)])["scores"]
    assert row["differences"][0]["paired"] is False


def test_curves_are_aligned_by_epoch() -> None:
    assert align({"a": {5: 0.5, 10: 0.6}, "b": {10: 0.7, 20: 0.8}}) == {
        "epochs": [5, 10, 20],
        "values": {"a": [0.5, 0.6, None], "b": [None, 0.7, 0.8]},
    }


def test_curves_of_distillations_come_from_their_metrics() -> None:
    lines = [
        {"epoch": 0, "evaluation": {"accuracy": 0.1, "asr": None}},
        {"epoch": 1, "loss": 2.0, "evaluation": {"accuracy": 0.2, "asr": 0.3}},
    ]
    other = [{"epoch": 1, "loss": 3.0}, {"epoch": 2, "loss": 2.5}]
    found = compare([distilled("a", metrics=lines), distilled("b", metrics=other)])["curves"]
    assert set(found) == {"loss"}
    assert found["loss"] == {"epochs": [1, 2], "values": {"a": [2.0, None], "b": [3.0, 2.5]}}


def test_measurements_and_sweeps_share_what_both_have() -> None:
    def measured(run_id: str, **curves: dict[str, float]) -> Record:
        listed = [{"network": n, "input": "clean", "layers": v} for n, v in curves.items()]
        return Record(id=run_id, kind="information", config={}, result={"curves": listed})

    found = compare(
        [measured("a", teacher={"layer1": 1.0}, random={"layer1": 2.0}),
         measured("b", teacher={"layer1": 1.5})]
    )["information"]  # fmt: skip
    assert found == [
        {"network": "teacher", "input": "clean",
         "values": {"a": {"layer1": 1.0}, "b": {"layer1": 1.5}}}
    ]  # fmt: skip

    def swept(run_id: str, scale: float) -> Record:
        row = {"layers": ["layer1"], "scale": scale, "losses": "all", "asr": 0.1, "accuracy": 0.9,
               "asr_range": [0.0, 0.2]}  # fmt: skip
        return Record(id=run_id, kind="sweep", config={}, result={"table": [row]})

    assert compare([swept("a", 10.0), swept("b", 350.0)])["sweep"] == []
    (cell,) = compare([swept("a", 10.0), swept("b", 10.0)])["sweep"]
    assert (cell["layers"], cell["scale"], set(cell["values"])) == (["layer1"], 10.0, {"a", "b"})


@pytest.mark.parametrize("ids", [[], ["a"], ["a", "a"]])
def test_fewer_than_two_runs_are_no_comparison(ids: list[str]) -> None:
    with pytest.raises(ConfigError, match="two or more different runs"):
        compare([distilled(run_id) for run_id in ids])


def test_a_setting_younger_than_a_run_counts_with_its_default(tmp_path: Path) -> None:
    old = Run.create(tmp_path, "distill", DistillConfig(), run_id="old")
    new = Run.create(tmp_path, "distill", DistillConfig(seed=3), run_id="new")
    about = old.about()
    del about["config"]["image_size"]
    old.write_json("run.json", about)
    assert [row["setting"] for row in compare([record(old), record(new)])["config"]] == ["seed"]


HERE = {"device": "CPU", "threads": 1, "precision": "bfloat16", "processor": "x86_64",
        "instructions": "AVX512", "processes": 1}  # fmt: skip


def test_machines_are_compared_and_what_is_unknown_is_no_equality() -> None:
    known = [distilled("a", machine=HERE), distilled("b", machine={**HERE, "threads": 2})]
    assert compare(known)["machine"] == [{"fact": "threads", "values": {"a": 1, "b": 2}}]
    old = {name: value for name, value in HERE.items() if name != "instructions"}
    unknown = compare([distilled("a", machine=old), distilled("b", machine=old)])["machine"]
    assert unknown == [{"fact": "instructions", "values": {"a": None, "b": None}}]


def test_old_runs_tell_of_their_machine_what_they_know(tmp_path: Path) -> None:
    run = Run.create(tmp_path, "distill", DistillConfig(), run_id="old")
    assert set(machine_of(run).values()) == {None}
    run.write_status(replace(run.status(), state="finished", device="CPU, 4 threads"))
    run.write_json("result.json", {"precision": "float32"})
    assert machine_of(run) == {**dict.fromkeys(HERE), "device": "CPU", "threads": 4,
                               "precision": "float32"}  # fmt: skip


def test_a_run_continued_elsewhere_tells_of_both_machines(tmp_path: Path) -> None:
    run = Run.create(tmp_path, "distill", DistillConfig(), run_id="moved")
    for threads in (2, 2, 1, 1):
        note_machine(run, {**HERE, "threads": threads})
    assert machine_of(run) == {**HERE, "threads": "2, then 1"}
