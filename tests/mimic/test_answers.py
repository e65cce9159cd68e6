"""Answers to each test image: kept as bits, and paired only where they are to the same images."""

import numpy as np
import pytest

from mimic.answers import are_whole, both, of_measure, packed
from mimic.evaluation import score
from mimic.evaluation.metrics import stamped_accuracy

RNG = np.random.default_rng(4)
COUNT = 203  # No multiple of eight: the last byte is not full.
IMAGES = RNG.integers(0, 255, (COUNT, 4, 4, 3)).astype(np.uint8)
LABELS = RNG.integers(0, 3, COUNT)
CLEAN = np.where(RNG.random(COUNT) < 0.8, LABELS, 0)
STAMPED = np.where(RNG.random(COUNT) < 0.3, 1, LABELS)
KEPT = packed(IMAGES, LABELS, 1, {"student": (CLEAN, STAMPED)})


@pytest.mark.parametrize("measure", ["accuracy", "asr", "asr_all", "stamped_accuracy"])
def test_answers_give_the_score_they_stand_beside(measure: str) -> None:
    found = of_measure(KEPT, "student", measure)
    assert found is not None
    scores = score(CLEAN, STAMPED, LABELS, target=1)
    scores |= stamped_accuracy(STAMPED, LABELS, target=1)
    assert found.mean() == pytest.approx(scores[measure])
    counted = scores["stamped_images" if measure in ("asr", "stamped_accuracy") else "test_images"]
    assert len(found) == counted


def test_they_take_a_bit_an_image() -> None:
    assert sum(array.nbytes for array in KEPT.values()) < 500
    assert KEPT["student_taken"].nbytes == (COUNT + 7) // 8


def test_only_answers_to_the_same_images_labels_and_target_are_paired() -> None:
    assert both(KEPT, dict(KEPT), "student", "accuracy") is not None
    for other in (
        packed(IMAGES[::-1], LABELS, 1, {"student": (CLEAN, STAMPED)}),
        packed(IMAGES, LABELS[::-1], 1, {"student": (CLEAN, STAMPED)}),
        packed(IMAGES, LABELS, 2, {"student": (CLEAN, STAMPED)}),
        packed(IMAGES[:-1], LABELS[:-1], 1, {"student": (CLEAN[:-1], STAMPED[:-1])}),
        {},
    ):
        assert both(KEPT, other, "student", "accuracy") is None
    assert both(KEPT, dict(KEPT), "clean_twin", "accuracy") is None


@pytest.mark.parametrize(
    "broken",
    [
        {"count": np.array([COUNT])}, {"count": np.array(2.5)}, {"judged": np.array(["a", "b"])},
        {"others": KEPT["others"][:-1]}, {"student_taken": KEPT["student_taken"].astype(float)},
        {"student_kept": KEPT["student_kept"].reshape(1, -1)}, {"count": np.array(-8)},
    ],
)  # fmt: skip
def test_arrays_of_another_make_are_no_answers(broken: dict[str, np.ndarray]) -> None:
    assert are_whole(KEPT)
    assert not are_whole({**KEPT, **broken})
    assert not are_whole({})


def test_without_a_trigger_only_accuracy_has_answers() -> None:
    kept = packed(IMAGES, LABELS, None, {"teacher": (CLEAN, None)})
    assert of_measure(kept, "teacher", "asr") is None
    assert of_measure(kept, "teacher", "accuracy") is not None
