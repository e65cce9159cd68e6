import math

import pytest
import torch

from mimic.errors import ConfigError
from mimic.mutual_information import ESTIMATORS, CriticFit, Split, estimator_named
from mimic.mutual_information.distributions import correlated, correlation_for
from mimic.mutual_information.fitting import EpochRecord

Problem = tuple[torch.Tensor, torch.Tensor]
TRAINED = [name for name, estimator in ESTIMATORS.items() if estimator.critic]


def gaussians(dims: int, nats: float, *, seed: int = 0, count: int = 2_000) -> Problem:
    rho = correlation_for(nats, dims)
    return correlated(dims, rho, dims)(count, torch.Generator().manual_seed(seed))


def fitted(
    problems: list[Problem], name: str, *, seeds: tuple[int, ...] = (0,), epochs: int = 8
) -> CriticFit:
    splits = Split.rotating(len(problems[0][0]), 0.25, len(seeds), seed=0)
    fit = CriticFit(problems, splits, estimator_named(name), seeds=seeds, epochs=epochs)
    for _ in fit:
        pass
    return fit


@pytest.mark.parametrize("name", TRAINED)
def test_estimates_of_gaussians_lie_on_the_side_they_claim(name: str) -> None:
    cases = {0.0: gaussians(4, 0.0), 0.5: gaussians(4, 0.5), 1.5: gaussians(4, 1.5)}
    problems = list(cases.values())
    epochs = 4 if name == "mine-joint" else 8
    estimates = fitted(problems, name, epochs=epochs).estimates().mean(1).tolist()
    direction = ESTIMATORS[name].direction
    for truth, nats in zip(cases, estimates, strict=True):
        sampling = 0.1 + 0.1 * truth  # of 500 held-out pairs
        if direction == "upper":
            assert nats > truth - sampling
        else:
            assert 0.6 * truth - 0.05 < nats < truth + sampling
    assert estimates[0] <= 0.05  # independent


def test_a_critic_memorises_independent_pairs_but_scores_nothing_on_others() -> None:
    fit = fitted([gaussians(10, 0.0, count=600)], "mine", epochs=12)
    assert float(fit.history[-1].fit) > 0.1
    assert float(fit.estimates()) <= 0.05


@pytest.mark.parametrize("name", ["mine", "mine-joint", "infonce", "club"])
def test_stacked_critics_give_what_they_give_one_by_one(name: str) -> None:
    count, seeds = 240, (5, 8)
    problems = [gaussians(4, 1.0, count=count), gaussians(6, 1.0, seed=1, count=count)]
    splits = Split.rotating(count, 0.25, 2, seed=0)

    def history(chosen: list[Problem], number: int | None) -> torch.Tensor:
        own = slice(None) if number is None else slice(number, number + 1)
        fit = CriticFit(
            chosen, splits[own], estimator_named(name), seeds=seeds[own], epochs=2, batch_size=30
        )
        return torch.stack([torch.cat([r.fit[None], r.scores]) for r in fit])

    together = history(problems, None)
    for place, problem in enumerate(problems):
        for critic in (0, 1):
            alone = history([problem], critic)[:, :, 0, 0]
            torch.testing.assert_close(
                together[:, :, place, critic], alone, atol=2e-3, rtol=2e-3, msg=name
            )


def test_half_precision_products_change_estimates_little() -> None:
    problem = gaussians(4, 1.0, count=1_000)
    splits = Split.rotating(1_000, 0.25, 1, seed=0)
    found = []
    for precision in (torch.float32, torch.bfloat16):
        fit = CriticFit(
            [problem], splits, estimator_named("mine"), seeds=[0], epochs=6, precision=precision
        )
        for record in fit:
            assert record.fit.dtype == torch.float32
        found.append(float(fit.estimates()))
    assert found[0] == pytest.approx(found[1], abs=0.1)


def test_the_epoch_is_chosen_on_one_half_and_scored_on_the_other() -> None:
    x, y = gaussians(2, 0.5, count=40)
    fit = CriticFit([(x, y)], Split.rotating(40, 0.5, 1, seed=0), ESTIMATORS["mine"], seeds=[0],
                    epochs=1)  # fmt: skip

    def record(a: float, b: float, by_a: float, by_b: float) -> EpochRecord:
        scores = torch.tensor([a, b]).view(2, 1, 1)
        criteria = torch.tensor([by_a, by_b]).view(2, 1, 1)
        return EpochRecord(torch.full((1, 1), 9.0), scores, criteria)

    fit.history = [record(1.0, 0.2, 3, 0), record(0.4, 0.3, 2, 1), record(0.5, 0.9, 1, 2)]
    assert float(fit.estimates()) == pytest.approx((0.2 + 0.5) / 2)
    fit.history = [record(-1.0, -2.0, 0, 0)]
    assert float(fit.estimates()) == 0
    assert float(fit.last_fitted()) == 9.0


def test_the_published_reading_is_the_mean_of_the_last_ten_epochs() -> None:
    x, y = gaussians(2, 0.5, count=40)
    fit = CriticFit([(x, y)], Split.rotating(40, 0.5, 1, seed=0), ESTIMATORS["mine"], seeds=[0],
                    epochs=1)  # fmt: skip
    nothing = torch.zeros(2, 1, 1)
    fit.history = [EpochRecord(torch.full((1, 1), v), nothing, nothing)
                   for v in (7.0, *([2.0] * 8), -4.0, 4.0)]  # fmt: skip
    assert float(fit.last_fitted()) == pytest.approx((8 * 2.0 + 0 + 4) / 10)


def test_fits_repeat_by_seed_and_leave_global_randomness_alone() -> None:
    problem = gaussians(2, 0.5, count=128)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = fitted([problem], "mine", epochs=2).history[-1].fit
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert torch.equal(fitted([problem], "mine", epochs=2).history[-1].fit, first)
    assert not torch.equal(fitted([problem], "mine", seeds=(1,), epochs=2).history[-1].fit, first)


def test_rotating_splits_hold_out_other_rows_each_and_never_share_any() -> None:
    splits = Split.rotating(100, 0.25, 4, seed=3)
    held = [torch.cat(split.halves) for split in splits]
    assert sorted(torch.cat(held).tolist()) == list(range(100))
    for split, own in zip(splits, held, strict=True):
        assert sorted([*split.fitted.tolist(), *own.tolist()]) == list(range(100))


def test_only_info_nce_has_a_ceiling() -> None:
    ceilings = {name: estimator.ceiling(100) for name, estimator in ESTIMATORS.items()}
    assert ceilings.pop("infonce") == pytest.approx(math.log(100))
    assert set(ceilings.values()) == {None}
    fit = fitted([gaussians(2, 8.0, count=400)], "infonce", epochs=30)
    assert fit.candidates == 50
    most = max(float(record.scores.max()) for record in fit.history)
    assert 2.0 < most <= math.log(50)  # of 8 nats


def test_unknown_estimators_are_refused() -> None:
    with pytest.raises(ConfigError, match="no estimator 'guess'"):
        estimator_named("guess")
