"""What the health check says of a network that learned little, and of a backdoor."""

from typing import Any

import numpy as np
import pytest

from mimic.learning import beyond_chance
from ui import health


def result(known: float | None, random: float | None, images: int) -> dict[str, Any]:
    return {
        "health": {"knn_accuracy": known, "random_knn_accuracy": random},
        "downstream": {"test_images": images},
    }


def test_chance_alone_counts_as_learned_in_one_of_forty_cases() -> None:
    rng = np.random.default_rng(0)
    pairs = rng.binomial(359, 0.8, (4_000, 2)) / 359
    share = np.mean([beyond_chance(a, b, 359) for a, b in pairs])
    assert 0.01 < share < 0.04


@pytest.mark.parametrize(
    ("known", "random", "images", "barely"),
    [
        (0.797, 0.794, 359, True),  # Two epochs on the digits.
        (0.947, 0.794, 359, False),
        (0.6, 0.7, 359, False),  # Worse than untrained is told by a warning of its own.
        (None, 0.7, 0, False),
    ],
)
def test_what_barely_exceeds_an_untrained_network_is_told(
    known: float | None, random: float | None, images: int, barely: bool
) -> None:
    assert health.is_barely_trained(result(known, random, images)) is barely


def test_without_a_trigger_nothing_points_to_scores_that_are_not_there() -> None:
    assert "cannot be told without a trigger" in health.on_backdoor(has_trigger=False)
    assert "scores below" in health.on_backdoor(has_trigger=True)
