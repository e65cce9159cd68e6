"""How long to train, in updates: the measured lengths, what lies between, and both ends."""

import pytest

from mimic.config import DistillConfig, SweepConfig
from mimic.datasets import clean_subset, load_images
from mimic.subjects import builtin_subjects, clean_share, recommended_distillation
from mimic.training_length import FEWEST, MOST, batches_per_epoch, suited_epochs, suited_updates


def updates(images: int, batch: int = 64) -> int:
    return suited_epochs(images, batch) * batches_per_epoch(images, batch)


def test_the_measured_examples_keep_what_was_measured() -> None:
    assert recommended_distillation("demo", images=1_438) == {"epochs": 100}
    assert recommended_distillation("cifar10", images=50_000) == {"epochs": 120}
    assert {builtin_subjects()[n]["distill"]["epochs"] for n in ("demo", "cifar10")} == {100, 120}


def test_a_file_of_ones_own_with_the_demos_images_is_trained_as_long_as_the_demo() -> None:
    assert recommended_distillation("", images=1_438) == {"clean_fraction": 0.04, "epochs": 100}
    assert updates(58) == 100


def test_with_as_many_images_as_cifar_the_length_lies_between_its_two_measured_ones() -> None:
    assert 1_860 < updates(2_000) <= 3_720


@pytest.mark.parametrize("images", [1, 8, 58, 63, 64, 65, 127, 500, 2_000, 2_400, 50_000])
@pytest.mark.parametrize("batch", [2, 8, 64, 256])
def test_neither_end_of_what_is_known_is_passed(images: int, batch: int) -> None:
    made = updates(images, batch)
    per_epoch = batches_per_epoch(images, batch)
    assert made <= max(MOST, per_epoch)  # A single epoch cannot be cut.
    assert made > suited_updates(images) - per_epoch
    assert FEWEST <= suited_updates(images) <= MOST


def test_a_smaller_batch_means_fewer_epochs_and_not_more_updates() -> None:
    assert suited_epochs(58, 8) == 14
    assert suited_epochs(58, 64) == 100


def test_more_images_never_mean_fewer_suited_updates() -> None:
    found = [suited_updates(images) for images in range(1, 5_000, 7)]
    assert found == sorted(found)


def test_without_known_images_and_for_other_verbs_nothing_is_recommended() -> None:
    assert recommended_distillation("") == {}
    assert recommended_distillation("", "inspect", images=1_438) == {}
    assert recommended_distillation("", "sweep", images=1_438)["epochs"] == 100


@pytest.mark.parametrize("images", [1, 10, 50, 80, 320, 1_249, 1_251, 50_000])
def test_of_a_small_set_more_than_the_usual_share_is_taken(images: int) -> None:
    config = DistillConfig(clean_fraction=clean_share(images))
    assert config.clean_images(images) >= min(images, 50)
    assert images < 1_250 or config.clean_fraction == DistillConfig().clean_fraction


def test_the_number_of_clean_images_is_that_of_the_subset_drawn() -> None:
    data = load_images("digits", "train")
    for kind in (DistillConfig, SweepConfig):
        config = kind(clean_fraction=0.037)
        drawn = clean_subset(data, fraction=0.037, seed=0)
        assert config.clean_images(len(data)) == len(drawn)
