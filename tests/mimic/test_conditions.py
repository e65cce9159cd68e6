"""Scores of runs that were measured with something else are not called different by chance."""

from typing import Any

import pytest

from mimic.comparison import Record, compare
from mimic.conditions import of_run, unlike
from mimic.tables import comparison as told

CONFIG = {"data": "digits", "downstream": "", "trigger": "a.npz", "target_class": 1,
          "test_images": 100}  # fmt: skip
INPUTS = {"digits (test)": {"images": 9, "sha256": "d"}, "trigger": {"path": "a", "sha256": "t"}}


def test_content_counts_and_no_path() -> None:
    moved = {**INPUTS, "trigger": {"path": "elsewhere", "sha256": "t"}}
    one, other = of_run(CONFIG, INPUTS, {}), of_run({**CONFIG, "trigger": "b.npz"}, moved, {})
    assert unlike(one, other, "asr") == []


@pytest.mark.parametrize(
    ("config", "inputs", "result", "differs"),
    [
        ({}, {"trigger": {"sha256": "other"}}, {}, ["trigger"]),
        ({}, {"digits (test)": {"sha256": "other"}}, {}, ["test images"]),
        ({"test_images": 50}, {}, {}, ["test images"]),
        ({"target_class": 2}, {}, {}, ["target class"]),
        ({"target_class": -1}, {}, {"target_class": 1}, []),
        ({"downstream": "signs"}, {"signs (test)": {"sha256": "s"}}, {}, ["test images"]),
    ],
)
def test_what_differs_is_named(
    config: dict[str, Any], inputs: dict[str, Any], result: dict[str, Any], differs: list[str]
) -> None:
    one = of_run(CONFIG, INPUTS, {})
    other = of_run({**CONFIG, **config}, {**INPUTS, **inputs}, result)
    assert unlike(one, other, "asr") == differs
    assert unlike(one, other, "accuracy") == [d for d in differs if d == "test images"]


def test_a_class_that_was_found_and_not_noted_is_unknown_not_another() -> None:
    found = of_run({**CONFIG, "target_class": -1}, INPUTS, {})
    assert found["target class"] is None
    for other in ({"target_class": 3}, {"target_class": -1}):
        assert unlike(found, of_run({**CONFIG, **other}, INPUTS, {}), "asr") == []


def test_chance_is_not_spoken_of_where_the_trigger_is_another_one() -> None:
    def distilled(name: str, asr: float, trigger: str) -> Record:
        own = {"accuracy": asr, "accuracy_interval": [asr - 0.01, asr + 0.01],
               "asr": asr, "asr_interval": [asr - 0.01, asr + 0.01]}  # fmt: skip
        inputs = {**INPUTS, "trigger": {"sha256": trigger}}
        return Record(id=name, kind="distill", config=CONFIG, inputs=inputs,
                      result={"scores": {"student": own}})  # fmt: skip

    found = compare([distilled("a", 0.9, "t"), distilled("b", 0.1, "u")])
    gaps = {row["measure"]: row["differences"][0]["unlike"] for row in found["scores"]}
    assert gaps == {"accuracy": [], "asr": ["trigger"]}
    lines = {line.split()[1]: line for line in told(found).splitlines() if "points" in line}
    assert lines["accuracy"].endswith("beyond chance on these test images")
    assert lines["ASR"].endswith("measured with other trigger")
