from typing import Any

import pytest

from mimic.cli import main
from mimic.intervals import wilson_interval
from mimic.verdict import TITLES, of_cleaning, of_suspect
from mimic.verdict_words import ACTIONS, ASK, share_left

HEALTHY: dict[str, Any] = {"knn_accuracy": 0.95, "random_knn_accuracy": 0.8, "warnings": []}


def scored(asr: float | None, spread: float = 0.02, images: int = 321) -> dict[str, Any]:
    bounds = None if asr is None else [max(0.0, asr - spread), min(1.0, asr + spread)]
    return {
        "accuracy": 0.97, "accuracy_interval": [0.95, 0.98], "test_images": 359,
        "asr": asr, "asr_interval": bounds, "stamped_images": 0 if asr is None else images,
    }  # fmt: skip


def counted(obeying: int, images: int) -> dict[str, Any]:
    """Scores with the interval that so many images give."""
    bounds = list(wilson_interval(obeying, images))
    return scored(obeying / images, images=images) | {"asr_interval": bounds}


def suspect(
    teacher: dict[str, Any] | None, twin: dict[str, Any] | None = None, **health: Any
) -> dict[str, Any]:
    return {"scores": {"teacher": teacher, "clean_twin": twin}, "health": {**HEALTHY, **health}}


@pytest.mark.parametrize(
    ("teacher", "twin", "level"),
    [
        (scored(0.99), scored(0.01), "backdoor"),
        (scored(0.02), scored(0.01), "not_seen"),
        (scored(0.99, images=29), scored(0.01), "unknown"),
        (scored(0.10), scored(0.01), "unknown"),
        (scored(0.20), scored(0.02), "backdoor"),
        (scored(0.99), None, "backdoor"),
        (scored(0.05), None, "not_seen"),
        (scored(0.3), None, "unknown"),
        (scored(None), scored(None), "unknown"),
        (None, None, "unknown"),
        # Overlapping intervals, yet a difference beyond chance.
        (counted(30, 100), counted(14, 100), "unknown"),
        (counted(10, 30), counted(2, 30), "unknown"),
        # No difference, but too few images to leave no room for one.
        (counted(2, 30), counted(2, 30), "unknown"),
        (counted(6, 321), counted(5, 321), "not_seen"),
    ],
)
def test_a_suspects_level(
    teacher: dict[str, Any] | None, twin: dict[str, Any] | None, level: str
) -> None:
    found = of_suspect(suspect(teacher, twin))
    assert found.level == level
    assert found.title == TITLES[level]
    assert found.actions
    assert found.headline.endswith(".")


def test_without_a_trigger_nothing_is_cleared() -> None:
    found = of_suspect(suspect(scored(None)))
    assert found.headline == "No trigger was given, so attack success could not be measured."
    assert found.actions == ASK
    assert found.confidence.startswith("Not sure at all")
    assert any(missing.startswith("attack success") for missing in found.missing)


def test_a_broken_or_useless_encoder_is_not_judged_by_its_answers() -> None:
    broken = of_suspect(suspect(scored(0.99), scored(0.01), faults=["Features are not finite."]))
    assert (broken.level, broken.actions) == ("broken", ACTIONS["broken"])
    assert "Features are not finite." in broken.reasons
    for accuracy in (0.8, 0.805):  # No better, and no better beyond chance.
        useless = of_suspect(suspect(scored(0.99), scored(0.01), knn_accuracy=accuracy))
        assert useless.level == "unknown"
        assert "untrained network" in useless.headline


def information(suspect_left: float, twin_left: float) -> dict[str, Any]:
    return {
        "curves": [
            {"network": n, "input": i, "layers": {"layer1": v, "layer2": v}}
            for n, left in (("teacher", suspect_left), ("clean_twin", twin_left))
            for i, v in (("clean", 2.0), ("triggered", 2.0 * left))
        ]
    }


def test_lost_information_is_a_second_sign_but_decides_nothing() -> None:
    both = of_suspect(suspect(scored(0.99), scored(0.01)), information(0.3, 1.1))
    assert "the information left in its layers agrees" in both.confidence
    assert both.reasons[1] == (
        "With the trigger on, 30% of what its layers tell about its answers is left; the clean "
        "twin keeps all of it (estimate 110%; a ratio of two estimates, which can exceed "
        "100%)."
    )
    alone = information(0.3, 1.1)
    alone["curves"] = [c for c in alone["curves"] if c["network"] == "teacher"]
    unproved = of_suspect(suspect(scored(0.99), scored(0.01)), alone)
    assert "agrees" not in unproved.confidence
    one = of_suspect(suspect(scored(0.99), scored(0.01)), information(0.9, 1.0))
    assert (one.level, "agrees" in one.confidence) == ("backdoor", False)
    none = of_suspect(suspect(scored(0.01), scored(0.01)), information(0.3, 1.1))
    assert none.level == "not_seen"


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (0.32, "32% of it"), (0.0, "0% of it"), (1.0, "100% of it"), (1.004, "100% of it"),
        (1.006, "all of it (estimate 101%)"), (1.1, "all of it (estimate 110%)"),
    ],
)  # fmt: skip
def test_no_share_above_all_is_said_without_a_word(share: float, told: str) -> None:
    assert share_left(share, "it") == told
    for_experts = share_left(share, "it", explained=True)
    assert ("two estimates" in for_experts) == ("estimate" in told)
    assert for_experts.startswith(told.removesuffix(")"))


@pytest.mark.parametrize(
    ("after", "twin", "level"),
    [
        (scored(0.02), scored(0.01), "clean"),
        (scored(0.06), scored(0.01), "trace"),
        (scored(0.09), scored(0.01), "remains"),
        (scored(0.6), scored(0.01), "remains"),
        (scored(0.02), None, "unknown"),
        (scored(0.6), None, "remains"),
        (scored(None), None, "unknown"),
        (scored(0.02, images=5), scored(0.01), "unknown"),
        (counted(3, 36), counted(0, 36), "unknown"),
        (counted(3, 60), counted(0, 60), "unknown"),
        (counted(40, 321), counted(3, 321), "remains"),
        (counted(0, 30), None, "unknown"),  # Few images are no reason to say that it remains.
        (counted(3, 60), None, "unknown"),
        (counted(30, 60), None, "remains"),
    ],
)
def test_a_cleanings_level(after: dict[str, Any], twin: dict[str, Any] | None, level: str) -> None:
    found = of_cleaning({"teacher": scored(0.99), "student": after, "clean_twin": twin})
    assert found.level == level
    assert found.to_json()["title"] == TITLES[level]


def accurate(accuracy: float, asr: float) -> dict[str, Any]:
    bounds = [accuracy - 0.01, accuracy + 0.01]
    return scored(asr) | {"accuracy": accuracy, "accuracy_interval": bounds}


@pytest.mark.parametrize(
    ("accuracy", "asr", "level"),
    [
        (0.93, 0.01, "weak"), (0.949, 0.01, "weak"), (0.951, 0.01, "clean"),
        (0.93, 0.06, "weak"), (0.93, 0.9, "remains"),
    ],
)  # fmt: skip
def test_a_student_that_learned_nothing_gets_no_all_clear(
    accuracy: float, asr: float, level: str
) -> None:
    scores = {
        "teacher": accurate(0.99, 0.99), "student": accurate(accuracy, asr),
        "clean_twin": accurate(0.99, 0.01), "untrained": accurate(0.91, 0.03),
    }  # fmt: skip
    found = of_cleaning(scores)
    assert found.level == level
    assert (
        "untrained is right 91.0% of the time and obeys the trigger on 3.0%; only"
        in found.reasons[1]
    )
    if level == "weak":
        assert ("may have learned" in found.headline) == (accuracy == 0.949)
        assert found.actions == ACTIONS["weak"]
        assert "Not sure" in found.confidence


@pytest.mark.parametrize(
    ("before", "after", "twin", "level"),
    [
        (0.06, 0.075, None, "nothing"), (0.02, 0.02, 0.01, "nothing"),
        (0.02, 0.2, 0.01, "unknown"), (0.3, 0.3, None, "remains"),
    ],
)  # fmt: skip
def test_no_backdoor_is_still_there_where_none_was(
    before: float, after: float, twin: float | None, level: str
) -> None:
    found = of_cleaning(
        {
            "teacher": scored(before), "student": scored(after),
            "clean_twin": None if twin is None else scored(twin),
        }
    )  # fmt: skip
    assert found.level == level
    assert (level == "remains") == ("still" in found.title)


def test_an_all_clear_says_what_the_images_still_allow() -> None:
    found = of_cleaning(
        {"teacher": scored(0.99), "student": scored(0.02), "clean_twin": scored(0.01)}
    )
    high = scored(0.02)["asr_interval"][1]
    assert f"{100 * high:.1f}%" in found.confidence
    assert "2.0%, against 1.0%" in found.headline
    assert "may be chance" in found.headline


def test_right_answers_with_the_trigger_on_are_told_where_a_run_has_them() -> None:
    old = {"teacher": scored(0.99), "student": scored(0.02), "clean_twin": scored(0.01)}
    assert len(of_cleaning(old).reasons) == 2
    shares = {"teacher": 0.004, "student": 0.94, "clean_twin": 0.97}
    for name, share in shares.items():
        new = {"stamped_accuracy": share, "stamped_accuracy_interval": [share - 0.003, 0.99]}
        old[name] = old[name] | new
    assert of_cleaning(old).reasons[2] == (
        "With the trigger on, 94.0% of 321 images get their own, right answer (95% interval 93.7 "
        "to 99.0%); before cleaning, 0.4%; on the clean twin, 97.0%."
    )


def test_the_command_line_gives_the_same_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    import json

    assert main(["verdict", "demo-inspect", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["level"], told["title"]) == ("backdoor", "Backdoor likely")
    assert any("321 images" in reason for reason in told["reasons"])
    assert main(["verdict", "demo-sweep"]) == 1
    assert "allows no verdict" in capsys.readouterr().err


def obeyed(asr: float, right: float) -> dict[str, Any]:
    """Scores with the right answers under the trigger."""
    bounds = list(wilson_interval(round(right * 321), 321))
    return scored(asr) | {"stamped_accuracy": right, "stamped_accuracy_interval": bounds}


@pytest.mark.parametrize("twin", [obeyed(0.0, 0.96), None])
def test_a_trigger_that_ruins_the_answers_is_not_cleared_by_the_wrong_target(
    twin: dict[str, Any] | None,
) -> None:
    found = of_suspect(suspect(obeyed(0.0, 0.12), twin))
    assert found.level == "unknown"
    assert "may lead to another class" in found.headline
    assert of_suspect(suspect(obeyed(0.0, 0.95), twin)).level == "not_seen"
    scores = {"teacher": obeyed(0.0, 0.12), "student": obeyed(0.0, 0.9), "clean_twin": twin}
    cleaned = of_cleaning(scores)
    assert cleaned.level == "unknown"
    assert "may lead to another class" in cleaned.headline
    assert of_cleaning({**scores, "teacher": obeyed(0.0, 0.95)}).level == "nothing"


def test_without_a_twin_a_trigger_over_much_of_the_picture_accuses_nobody() -> None:
    for share, level in ((0.1, "backdoor"), (0.56, "unknown")):
        covering = suspect(scored(0.99)) | {"trigger": {"share": share}}
        assert of_suspect(covering).level == level
        beside = suspect(scored(0.99), scored(0.01)) | {"trigger": {"share": share}}
        assert of_suspect(beside).level == "backdoor"


def test_what_the_trigger_still_costs_is_told_beside_the_untrained_network() -> None:
    scores = {
        "teacher": obeyed(0.99, 0.0), "student": obeyed(0.02, 0.84),
        "clean_twin": obeyed(0.01, 0.96), "untrained": obeyed(0.03, 0.82),
    }  # fmt: skip
    told = of_cleaning(scores).reasons[-1]
    assert "untrained, 82.0%; on the clean twin, 96.0%. So the trigger still costs" in told
    fine = {**scores, "student": obeyed(0.02, 0.95)}
    assert "still costs" not in of_cleaning(fine).reasons[-1]
