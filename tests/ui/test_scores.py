from typing import Any

from streamlit.testing.v1 import AppTest

from ui import scores

BEFORE = {
    "accuracy": 0.99, "accuracy_interval": [0.97, 1.0], "asr": 1.0, "asr_interval": [0.98, 1.0],
    "asr_all": 1.0, "test_images": 1359, "stamped_images": 1200,
}  # fmt: skip
TWIN = {**BEFORE, "asr": 0.006, "asr_interval": [0.002, 0.022], "asr_all": 0.07}


def after(asr: float, low: float, high: float) -> dict[str, Any]:
    return {**BEFORE, "accuracy": 0.97, "asr": asr, "asr_interval": [low, high]}


def test_overlapping_intervals_are_not_called_a_difference() -> None:
    told = scores.outcome(
        {"teacher": BEFORE, "student": after(0.019, 0.009, 0.04), "clean_twin": TWIN}
    )
    assert "99.0% to 97.0% (-2.0 points)" in told
    assert "too close to the floor of 0.6%" in told


def test_a_rest_above_the_floor_is_admitted() -> None:
    told = scores.outcome(
        {"teacher": BEFORE, "student": after(0.2, 0.16, 0.25), "clean_twin": TWIN}
    )
    assert "still above the floor" in told


def test_a_surviving_backdoor_is_admitted() -> None:
    told = scores.outcome(
        {"teacher": BEFORE, "student": after(0.8, 0.75, 0.85), "clean_twin": TWIN}
    )
    assert "the backdoor is still there" in told


def test_without_trigger_or_labels_nothing_is_claimed() -> None:
    unknown = {**BEFORE, "asr": None, "asr_interval": None}
    assert "nothing can be said" in scores.suspicion(unknown, None, "–")
    assert "nothing can be said" in scores.outcome(
        {"teacher": unknown, "student": {**unknown}, "clean_twin": None}
    )
    blind = {**unknown, "accuracy": None}
    assert "cannot be measured" in scores.outcome(
        {"teacher": blind, "student": blind, "clean_twin": None}
    )


def test_suspicion_depends_on_the_numbers() -> None:
    assert "obeys the trigger" in scores.suspicion(BEFORE, TWIN, "1")
    assert "no visible hold" in scores.suspicion({**BEFORE, "asr": 0.007}, TWIN, "1")
    assert "some hold" in scores.suspicion({**BEFORE, "asr": 0.3}, TWIN, "1")


def test_rows_are_formatted_and_skip_absent_encoders() -> None:
    rows = scores.rows({"teacher": BEFORE, "student": None, "clean_twin": TWIN})
    assert [r["encoder"] for r in rows] == ["Suspect (before)", "Clean twin"]
    assert rows[0]["ASR 95% interval"] == "98.0–100.0%"
    assert rows[0]["test images"] == "1,359"


def test_without_labels_nothing_is_claimed() -> None:
    assert "cannot be measured" in scores.suspicion(None, None, "1")


def test_a_floor_of_zero_is_told() -> None:
    said = scores.suspicion({"asr": 0.15, "accuracy": 0.9}, {"asr": 0.0, "accuracy": 0.9}, "1")
    assert "0.0%" in said
    assert "some hold" in said


def with_the_trigger_on(share: float) -> dict[str, Any]:
    return {"stamped_accuracy": share, "stamped_accuracy_interval": [share - 0.01, share + 0.01]}


def test_right_answers_with_the_trigger_on_stand_in_the_table_where_a_run_has_them() -> None:
    student = after(0.02, 0.01, 0.04) | with_the_trigger_on(0.94)
    new = scores.rows({"teacher": BEFORE | with_the_trigger_on(0.01), "student": student})
    assert [r[scores.RESTORED] for r in new] == ["1.0% (0.0–2.0%)", "94.0% (93.0–95.0%)"]
    old = scores.rows({"teacher": BEFORE, "student": after(0.02, 0.01, 0.04)})
    assert all(scores.RESTORED not in r for r in old)


def large_numbers(teacher: dict[str, object], student: dict[str, object] | None) -> None:
    from ui import scores

    scores.headline({"teacher": teacher, "student": student})


def test_right_answers_with_the_trigger_on_stand_large_before_and_after() -> None:
    before, cleaned = BEFORE | with_the_trigger_on(0.01), after(0.02, 0.01, 0.04)
    both = {"teacher": before, "student": cleaned | with_the_trigger_on(0.94)}
    shown = AppTest.from_function(large_numbers, kwargs=both).run().metric[-1]
    assert (shown.label, shown.value) == ("Right with the trigger on, after cleaning", "94.0%")
    assert shown.delta == "+93.0 points"
    alone = AppTest.from_function(large_numbers, kwargs={"teacher": before, "student": None}).run()
    assert (alone.metric[-1].label, alone.metric[-1].value) == ("Right with the trigger on", "1.0%")
    old = {"teacher": before, "student": cleaned}  # The suspect's is no figure of the student.
    told = [m.label for m in AppTest.from_function(large_numbers, kwargs=old).run().metric]
    assert told == ["Accuracy after cleaning", "Attack success after cleaning"]
