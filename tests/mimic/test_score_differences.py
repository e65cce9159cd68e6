"""Encoders of one run are compared image by image where their answers were kept."""

from typing import Any

import numpy as np
import pytest

from mimic.answers import Arrays, packed
from mimic.evaluation import score
from mimic.evaluation.metrics import stamped_accuracy
from mimic.intervals import difference_interval, paired_difference_interval, quantile_among
from mimic.score_differences import interval_between, is_paired, with_pairs
from mimic.verdict import of_cleaning, of_suspect

COUNT = 400
LABELS = np.repeat([0, 2, 3, 4], COUNT // 4)
IMAGES = np.zeros((COUNT, 2, 2, 3), dtype=np.uint8)
TARGET = 1


def obeying(positions: range) -> np.ndarray:
    """Right answers, but for the images at some positions, which get the attacker's."""
    answers = LABELS.copy()
    answers[list(positions)] = TARGET
    return answers


def run_of(**stamped: np.ndarray) -> tuple[dict[str, Any], Arrays]:
    """Scores and answers of encoders that recognise all clean images."""
    scores = {
        name: score(LABELS, found, LABELS, target=TARGET)
        | stamped_accuracy(found, LABELS, target=TARGET)
        for name, found in stamped.items()
    }
    kept = packed(IMAGES, LABELS, TARGET, {k: (LABELS, v) for k, v in stamped.items()})
    return scores, kept


def test_the_interval_of_the_same_images_is_used_and_is_another_one() -> None:
    scores, kept = run_of(student=obeying(range(12)), clean_twin=obeying(range(4)))
    pairs = with_pairs(scores, kept)
    student, twin = pairs["student"], pairs["clean_twin"]
    assert student is not None
    assert twin is not None
    expected = paired_difference_interval(both=4, before=0, after=8, neither=COUNT - 12)
    assert interval_between(twin, student, "asr") == expected
    back = interval_between(student, twin, "asr")
    assert back == pytest.approx((-expected[1], -expected[0]))
    apart = interval_between(scores["clean_twin"], scores["student"], "asr")
    assert apart == difference_interval(
        0.01, scores["clean_twin"]["asr_interval"], 0.03, scores["student"]["asr_interval"]
    )
    assert apart[0] < 0 < expected[0]


def test_answers_that_do_not_give_the_score_are_not_paired() -> None:
    scores, kept = run_of(student=obeying(range(12)), clean_twin=obeying(range(4)))
    scores["student"]["asr"] += 0.001
    pairs = with_pairs(scores, kept)
    student, twin = pairs["student"], pairs["clean_twin"]
    assert student is not None
    assert twin is not None
    assert not is_paired(twin, student, "asr")
    assert is_paired(twin, student, "stamped_accuracy")


def test_pairs_tell_a_trace_that_shares_alone_leave_to_chance() -> None:
    scores, kept = run_of(
        teacher=obeying(range(COUNT)), student=obeying(range(12)), clean_twin=obeying(range(4)),
        untrained=obeying(range(60, 80)),
    )  # fmt: skip
    assert of_cleaning(scores).level == "clean"
    found = of_cleaning(scores, kept)
    assert found.level == "trace"
    assert "may be left" in found.title
    assert "3.0% of the images" in found.headline
    assert "but no more often than on the same network untrained (5.0%)" in found.headline
    assert "comparison with a clean twin, image by image" in found.checks
    assert "Expect more wrong answers" in found.actions[-1]
    scores, kept = run_of(
        teacher=obeying(range(COUNT)), student=obeying(range(20)), clean_twin=obeying(range(2)),
        untrained=obeying(range(4)),
    )  # fmt: skip
    assert "and more often than on the same network untrained (1.0%)" in (
        of_cleaning(scores, kept).headline
    )


def test_the_class_that_was_picked_for_its_answers_gets_a_wider_interval() -> None:
    answers = obeying(range(20))
    named = score(LABELS, answers, LABELS, target=TARGET)
    picked = score(LABELS, answers, LABELS, target=TARGET, choices=10)
    assert "picked_among" not in named
    assert picked["picked_among"] == 10
    for measure in ("asr", "asr_all"):
        low, high = picked[f"{measure}_interval"]
        assert low < named[f"{measure}_interval"][0]
        assert high > named[f"{measure}_interval"][1]
    assert picked["accuracy_interval"] == named["accuracy_interval"]
    assert quantile_among(1) == 1.96
    assert quantile_among(10) == pytest.approx(2.807, abs=1e-3)  # 99.5 % two-sided, from tables.
    suspect = {"scores": {"teacher": picked, "clean_twin": None}, "health": {}}
    assert any("picked out of 10" in reason for reason in of_suspect(suspect).reasons)


def test_picking_the_most_frequent_answer_accuses_no_more_often_than_promised() -> None:
    """Ten classes answered at random, the most frequent one picked: its interval holds 1/10."""
    draws = np.random.default_rng(0).integers(0, 10, (2000, 100))
    most = np.array([np.bincount(row, minlength=10).max() for row in draws])
    labels = np.full(100, 11)
    missed = {}
    for choices in (1, 10):
        lows = {
            hits: score(labels, np.where(np.arange(100) < hits, 1, 11), labels, target=1,
                        choices=choices)["asr_interval"][0]
            for hits in np.unique(most)
        }  # fmt: skip
        missed[choices] = np.mean([lows[hits] > 0.1 for hits in most])
    assert missed[10] <= 0.05 < missed[1]
