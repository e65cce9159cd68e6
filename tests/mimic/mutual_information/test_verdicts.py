import pytest

from mimic.mutual_information import ESTIMATORS
from mimic.mutual_information.verdicts import judge_fit

MINE = ESTIMATORS["mine"]
FLAT = [0.2, 0.8, *([1.0] * 18)]


def state(held_out: list[float], critics: list[float], **changes: object) -> str:
    fit = changes.pop("fit", held_out)
    verdict = judge_fit(fit, held_out, critics, **{"estimator": MINE, **changes})  # type: ignore[arg-type]
    assert verdict.sentence.endswith(".")
    return verdict.state


def test_a_flat_end_with_agreeing_critics_has_converged() -> None:
    assert state(FLAT, [1.0, 1.1, 0.95]) == "converged"


def test_a_curve_that_climbs_to_the_end_is_still_rising() -> None:
    assert state([0.1 * k for k in range(20)], [1.9]) == "still rising"
    assert state([0.0, 0.5], [0.5]) == "still rising"


def test_a_curve_that_falls_after_its_best_overfits() -> None:
    falling = [0.5, 1.0, *(1.0 - 0.05 * k for k in range(18))]
    assert state(falling, [1.0, 1.0]) == "overfits"
    slightly = [0.5, 1.0, *(1.0 - 0.01 * k for k in range(18))]
    assert state(slightly, [1.0, 1.0]) == "converged"


def test_critics_that_disagree_are_noisy() -> None:
    assert state(FLAT, [0.3, 1.7]) == "noisy"
    assert state(FLAT, [0.02, 0.2]) == "converged"  # apart by less than matters


@pytest.mark.parametrize(
    ("fit", "upper_bound", "words"),
    [
        ([0.0] * 20, 12.0, "has not learned"),
        ([0.02 * k for k in range(20)], 12.0, "only memorised"),
        ([0.0] * 20, None, "has not learned"),
        ([0.02 * k for k in range(20)], 0.1, "rightly so"),
    ],
)
def test_zero_says_whether_nothing_is_there_or_nothing_was_found(
    fit: list[float], upper_bound: float | None, words: str
) -> None:
    flat = [0.0] * 20
    verdict = judge_fit(fit, flat, [0.0, 0.01], estimator=MINE, upper_bound=upper_bound)
    assert verdict.state == "nothing learned"
    assert words in verdict.sentence


def test_scores_on_own_pairs_are_never_called_converged() -> None:
    assert state(FLAT, [1.0], own_pairs=True) == "overfits"
    rising = [0.1 * k for k in range(20)]
    assert state(rising, [1.9], own_pairs=True) == "still rising"


def test_an_upper_bound_may_fall_while_it_gets_better() -> None:
    club = ESTIMATORS["club"]
    falling = [5.0 - 0.2 * k for k in range(20)]
    assert state(falling, [1.2], estimator=club) == "converged"
    assert state(falling, [1.2]) == "overfits"


def test_an_estimate_near_its_ceiling_says_so() -> None:
    info_nce = ESTIMATORS["infonce"]
    near = judge_fit(FLAT, FLAT, [1.0, 1.1], estimator=info_nce, ceiling=1.15)
    far = judge_fit(FLAT, FLAT, [1.0, 1.1], estimator=info_nce, ceiling=3.0)
    assert near.state == far.state == "converged"
    assert "ceiling of 1.15 nats" in near.sentence
    assert "ceiling" not in far.sentence
