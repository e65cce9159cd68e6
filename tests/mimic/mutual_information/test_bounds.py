import math

import numpy as np
import pytest
import torch

from mimic.mutual_information.bounds import (
    club_bound,
    donsker_varadhan_bound,
    info_nce_bound,
    jensen_shannon_objective,
    log_mean_exp,
    mine_objective,
    nwj_bound,
    smile_bound,
)

RNG = np.random.default_rng(0)
JOINT, PRODUCT = RNG.normal(1, 2, 7), RNG.normal(0, 2, (7, 5))
SCORES = torch.tensor(JOINT), torch.tensor(PRODUCT)


def plain_info_nce() -> float:
    total = 0.0
    for score, others in zip(JOINT, PRODUCT, strict=True):
        candidates = [math.exp(score), *(math.exp(other) for other in others)]
        total += math.log(math.exp(score) / (sum(candidates) / len(candidates)))
    return total / len(JOINT)


def test_every_formula_agrees_with_plain_loops() -> None:
    ratio = np.mean([math.exp(t) for row in PRODUCT for t in row])
    clipped = np.mean([math.exp(min(5, max(-5, t))) for row in PRODUCT for t in row])
    expected = {
        donsker_varadhan_bound: JOINT.mean() - math.log(ratio),
        nwj_bound: JOINT.mean() - ratio / math.e,
        smile_bound: JOINT.mean() - math.log(clipped),
        info_nce_bound: plain_info_nce(),
        club_bound: JOINT.mean() - PRODUCT.mean(),
        jensen_shannon_objective: -np.mean([math.log1p(math.exp(-t)) for t in JOINT])
        - np.mean([math.log1p(math.exp(t)) for row in PRODUCT for t in row]),
    }
    for formula, value in expected.items():
        assert float(formula(*SCORES)) == pytest.approx(value), formula.__name__


def test_stacked_scores_give_each_its_own_bound() -> None:
    joint = torch.stack([SCORES[0], SCORES[0] + 1])
    product = torch.stack([SCORES[1], SCORES[1] * 0.5])
    for formula in (donsker_varadhan_bound, info_nce_bound, nwj_bound, smile_bound, club_bound):
        together = formula(joint, product)
        assert together.shape == (2,)
        for k in (0, 1):
            torch.testing.assert_close(together[k], formula(joint[k], product[k]))


def test_large_scores_do_not_overflow() -> None:
    shifted = donsker_varadhan_bound(SCORES[0] + 1e4, SCORES[1] + 1e4)
    assert float(shifted) == pytest.approx(float(donsker_varadhan_bound(*SCORES)), abs=1e-6)


def test_bounds_of_a_perfect_critic_are_the_information_itself() -> None:
    # Two fair coins that always agree share log 2; T = log of the density ratio is optimal.
    ratio = torch.tensor([[math.log(2), -1e9], [-1e9, math.log(2)]])
    joint, product = ratio.diagonal(), ratio
    assert float(donsker_varadhan_bound(joint, product)) == pytest.approx(math.log(2))
    assert float(nwj_bound(joint + 1, product + 1)) == pytest.approx(math.log(2))


def test_info_nce_cannot_exceed_the_logarithm_of_its_candidates() -> None:
    joint, product = torch.full((4,), 50.0), torch.full((4, 9), -50.0)
    assert float(info_nce_bound(joint, product)) == pytest.approx(math.log(10))


def test_mines_gradient_has_the_moving_average_below_the_line() -> None:
    joint, product = (side.clone().requires_grad_() for side in SCORES)
    average = torch.tensor(math.log(3.0))
    mine_objective(joint, product, average).backward()
    torch.testing.assert_close(product.grad, -SCORES[1].exp() / product.numel() / 3.0)
    torch.testing.assert_close(joint.grad, torch.full_like(SCORES[0], 1 / 7))
    # With the batch's own mean below the line, it is the gradient of the bound.
    plain, corrected = (SCORES[1].clone().requires_grad_() for _ in range(2))
    donsker_varadhan_bound(SCORES[0], plain).backward()
    mine_objective(SCORES[0], corrected, log_mean_exp(SCORES[1])).backward()
    torch.testing.assert_close(plain.grad, corrected.grad)
