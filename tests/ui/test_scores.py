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


def test_rows_are_formatted_and_skip_absent_encoders() -> None:
    rows = scores.rows({"teacher": BEFORE, "student": None, "clean_twin": TWIN})
    assert [r["encoder"] for r in rows] == ["Suspect (before)", "Clean twin"]
    assert rows[0]["ASR 95% interval"] == "98.0–100.0%"
    assert rows[0]["test images"] == "1,359"


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
