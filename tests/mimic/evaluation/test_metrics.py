import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mimic.evaluation import attack_success_rate, score
from mimic.evaluation.metrics import stamped_accuracy
from mimic.intervals import (
    interval_of,
    jackknife_interval,
    share_interval,
    target_share,
    wilson_interval,
)

LABELS = np.array([0, 1, 2, 1, 0, 2])
CLEAN = np.array([0, 1, 2, 2, 0, 1])  # 4 of 6 right
STAMPED = np.array([1, 1, 2, 1, 1, 0])  # target 1: 2 of the 4 others, 4 of all 6


def test_wilson_interval_of_eight_in_ten_is_the_published_one() -> None:
    assert wilson_interval(8, 10) == pytest.approx((0.4902, 0.9433), abs=5e-5)


@given(trials=st.integers(1, 10_000), share=st.floats(0, 1))
def test_wilson_bounds_solve_the_score_equation(trials: int, share: float) -> None:
    successes = round(share * trials)
    observed = successes / trials
    low, high = wilson_interval(successes, trials)
    assert 0 <= low <= observed + 1e-12
    assert observed - 1e-12 <= high <= 1
    for bound in (low, high):
        gap = (observed - bound) ** 2
        assert gap == pytest.approx(1.96**2 * bound * (1 - bound) / trials, abs=1e-9)


def test_success_rate_with_and_without_target_images() -> None:
    without = attack_success_rate(STAMPED, LABELS, target=1, count_target_class=False)
    with_them = attack_success_rate(STAMPED, LABELS, target=1, count_target_class=True)
    assert without == pytest.approx(2 / 4)
    assert with_them == pytest.approx(4 / 6)


def test_a_classifier_that_always_says_the_target_scores_one() -> None:
    constant = np.full(6, 1)
    for counted in (False, True):
        rate = attack_success_rate(constant, LABELS, target=1, count_target_class=counted)
        assert rate == 1


def test_a_flawless_classifier_scores_zero_without_and_its_share_with_target_images() -> None:
    scores = score(LABELS, LABELS, LABELS, target=1)
    assert scores["accuracy"] == 1
    assert scores["asr"] == 0
    assert scores["asr_all"] == pytest.approx(2 / 6)


def test_scores_of_hand_made_predictions() -> None:
    scores = score(CLEAN, STAMPED, LABELS, target=1)
    assert scores["accuracy"] == pytest.approx(4 / 6)
    assert scores["accuracy_interval"] == wilson_interval(4, 6)
    assert scores["asr"] == pytest.approx(2 / 4)
    assert scores["asr_interval"] == wilson_interval(2, 4)
    assert scores["asr_all"] == pytest.approx(4 / 6)
    assert scores["asr_all_interval"] == wilson_interval(4, 6)
    assert (scores["test_images"], scores["stamped_images"]) == (6, 4)


@pytest.mark.parametrize(
    ("stamped", "labels", "target"),
    [(None, LABELS, 1), (STAMPED, LABELS, None), (STAMPED, np.ones(6, int), 1)],
    ids=["no-trigger", "no-target", "only-target-images"],
)
def test_success_is_unknown_where_it_cannot_be_measured(
    stamped: np.ndarray | None, labels: np.ndarray, target: int | None
) -> None:
    scores = score(CLEAN, stamped, labels, target=target)
    assert scores["asr"] is scores["asr_interval"] is scores["asr_all"] is None
    assert scores["asr_all_interval"] is None
    assert scores["stamped_images"] == 0
    assert scores["accuracy"] == pytest.approx(float((labels == CLEAN).mean()))


def test_a_run_from_before_the_interval_gets_it_from_its_counts_or_none() -> None:
    scores = score(CLEAN, STAMPED, LABELS, target=1)
    old = {name: value for name, value in scores.items() if name != "asr_all_interval"}
    assert interval_of(old, "asr_all") == interval_of(scores, "asr_all") == wilson_interval(4, 6)
    assert interval_of({**old, "asr_all": 0.66}, "asr_all") is None  # Counted on other images.
    assert interval_of({"asr_all": 0.5}, "asr_all") is None
    assert interval_of({"asr": 0.5, "test_images": 6}, "asr") is None
    assert target_share(scores) == pytest.approx(2 / 6)
    assert target_share({"test_images": 6, "stamped_images": 0}) is None


def test_right_answers_with_the_trigger_on_are_counted_without_target_images() -> None:
    found = stamped_accuracy(STAMPED, LABELS, target=1)
    others = LABELS != 1
    right = sum(int(a == b) for a, b in zip(STAMPED[others], LABELS[others], strict=True))
    assert 0 < right < others.sum()
    assert found["stamped_accuracy"] == right / others.sum()
    assert found["stamped_accuracy_interval"] == wilson_interval(right, int(others.sum()))


def test_other_wrong_answers_are_not_right_ones_though_attack_success_is_low() -> None:
    wrong = np.where(LABELS == 0, 2, 0)
    assert score(LABELS, wrong, LABELS, target=1)["asr"] == 0
    assert stamped_accuracy(wrong, LABELS, target=1)["stamped_accuracy"] == 0
    assert stamped_accuracy(LABELS, LABELS, target=1)["stamped_accuracy"] == 1


@pytest.mark.parametrize(
    ("stamped", "labels", "target"),
    [(None, LABELS, 1), (STAMPED, LABELS, None), (STAMPED, np.ones(6, int), 1)],
    ids=["no-trigger", "no-target", "only-target-images"],
)
def test_right_answers_with_the_trigger_on_may_be_unknown(
    stamped: np.ndarray | None, labels: np.ndarray, target: int | None
) -> None:
    assert set(stamped_accuracy(stamped, labels, target=target).values()) == {None}


def test_the_jackknife_of_a_mean_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(400):
        data = rng.normal(3.0, 1.0, 60)
        group = rng.permutation(60) % 12
        left_out = [float(data[group != g].mean()) for g in range(12)]
        low, high = jackknife_interval(float(data.mean()), left_out)
        covered += low <= 3.0 <= high
    assert 0.92 <= covered / 400 <= 0.98


def test_a_share_of_all_is_still_not_certain() -> None:
    assert share_interval(1.0, 14) == pytest.approx(wilson_interval(14, 14))
    assert share_interval(1.0, 14)[0] < 0.8
