"""Doubts about images and labels (S9): each problem is named once, good data give none."""

from __future__ import annotations

import numpy as np
import pytest

from mimic.datasets import ImageSet, clean_subset, doubts_between, load_images
from mimic.datasets.doubts import doubts
from mimic.errors import DataError

RNG = np.random.default_rng(0)


def noise(count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, 6, 6, 3)).astype(np.uint8)


def good(count: int = 80, seed: int = 0) -> ImageSet:
    return ImageSet("set", noise(count, seed), np.arange(count) % 4)


def test_good_data_leave_no_doubt() -> None:
    assert doubts(good(), part="train") == ()
    assert doubts_between(good(), good(seed=1)) == ()
    assert doubts(ImageSet("set", noise(50), None), part="train") == ()


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_digits_leave_no_doubt(split: str) -> None:
    assert load_images("digits", split).warnings == ()  # type: ignore[arg-type]


IMAGES = noise(80)
COPIES = np.concatenate([IMAGES[:60], IMAGES[:20]])
CONSTANT = np.concatenate([IMAGES[:78], np.full((2, 6, 6, 3), (9, 200, 7), np.uint8)])
FOUR = np.arange(80) % 4
DOUBTFUL = {
    "few": (IMAGES[:24], None, "only 24 of the train images"),
    "copies": (COPIES, FOUR, "20 of 80 of the train images of set are exact copies"),
    "constant": (CONSTANT, FOUR, "2 of 80 .* single colour"),
    "one-class": (IMAGES, np.full(80, 2), r"of one class \(2\)"),
    "from-one": (IMAGES, FOUR + 1, "begin at 1"),
    "gap": (IMAGES, np.where(FOUR == 2, 3, FOUR), "1 of 4 classes have none"),
    "rare": (IMAGES, np.r_[np.zeros(35), np.ones(36), np.full(9, 2)].astype(int), "class 2 has 9"),
    "skewed": (noise(400), np.r_[np.zeros(15), np.ones(385)].astype(int), "class 0 has 15"),
}  # fmt: skip


@pytest.mark.parametrize("kind", DOUBTFUL)
def test_s9_each_problem_is_named(kind: str) -> None:
    images, labels, said = DOUBTFUL[kind]
    found = doubts(ImageSet("set", images, labels), part="train")
    assert len(found) == 1
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(found[0])


def test_s9_images_in_both_halves_are_counted() -> None:
    train, test = good(), good(40, seed=1)
    mixed = ImageSet("set", np.concatenate([test.images, train.images[:3]]), np.arange(43) % 4)
    (said,) = doubts_between(train, mixed)
    assert said.startswith("3 of the 43 test images")


def test_s9_classes_without_training_images_are_named() -> None:
    test = ImageSet("set", noise(40, 1), np.arange(40) % 6)
    (said,) = doubts_between(good(), test)
    assert "2 classes" in said
    assert said.endswith("image: 4, 5.")


def test_s9_halves_that_name_different_classes_are_refused() -> None:
    one, other = (ImageSet("set", noise(4), np.arange(4) % 2, ("a", n)) for n in "bc")
    with pytest.raises(DataError, match="numbers disagree"):
        doubts_between(one, other)


def test_s9_a_half_without_labels_is_told() -> None:
    (said,) = doubts_between(good(), ImageSet("set", noise(40, 1), None))
    assert "Only one half" in said


def test_doubts_travel_with_every_part_of_a_set() -> None:
    data = ImageSet("set", noise(80), FOUR, warnings=("It is doubtful.",))
    parts = (data.take(np.arange(9)), data.sample(20, seed=0),
             clean_subset(data, fraction=0.5, seed=0))  # fmt: skip
    assert all(part.warnings == ("It is doubtful.",) for part in parts)
