from typing import Any

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
