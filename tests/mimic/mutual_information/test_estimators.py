import math

import numpy as np
import pytest
import torch
from torch import nn

from mimic.mutual_information import Critic, DonskerVaradhanFit, donsker_varadhan_bound


def in_two(x: torch.Tensor, y: torch.Tensor) -> list[tuple[torch.Tensor, torch.Tensor]]:
    middle = len(x) // 2
    return [(x[:middle], y[:middle]), (x[middle:], y[middle:])]


def gaussians(count: int, dims: int, rho: float, *, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    x = torch.randn(count, dims, generator=random)
    y = rho * x + math.sqrt(1 - rho**2) * torch.randn(count, dims, generator=random)
    return x, y


def estimate(dims: int, rho: float, *, epochs: int = 8) -> tuple[float, DonskerVaradhanFit]:
    x, y = gaussians(2_000, dims, rho, seed=0)
    held_out = gaussians(2_000, dims, rho, seed=1)
    fit = DonskerVaradhanFit(x, y, in_two(*held_out), epochs=epochs)
    for _ in fit:
        pass
    return fit.estimate(), fit


@pytest.mark.parametrize(("dims", "rho"), [(1, 0.93), (2, 0.795), (2, 0.6)])
def test_the_held_out_estimate_of_correlated_gaussians_is_a_lower_bound_near_the_truth(
    dims: int, rho: float
) -> None:
    truth = -dims / 2 * math.log(1 - rho**2)
    nats, _ = estimate(dims, rho)
    assert nats < truth + 0.1  # sampling error of 2,000 held-out pairs
    assert nats > 0.7 * truth


def test_independent_sides_tell_nothing_about_each_other() -> None:
    nats, fit = estimate(4, 0.0)
    assert 0 <= nats <= 0.05
    assert fit.history[-1][0] > 0.01  # On its own pairs the critic does overfit.


def test_the_bound_agrees_with_numpy_and_does_not_overflow() -> None:
    rng = np.random.default_rng(0)
    joint, product = rng.normal(1, 2, 50), rng.normal(0, 1, 80)
    expected = joint.mean() - np.log(np.exp(product).mean())
    ours = donsker_varadhan_bound(torch.tensor(joint), torch.tensor(product))
    assert float(ours) == pytest.approx(expected)
    shifted = donsker_varadhan_bound(torch.tensor(joint + 1e4), torch.tensor(product + 1e4))
    assert float(shifted) == pytest.approx(expected, abs=1e-6)


def test_the_bound_of_a_perfect_critic_is_the_information_itself() -> None:
    # Two fair coins that always agree share log 2; T = log of the density ratio is optimal.
    ratio = {True: math.log(2), False: -1e9}
    coins = [(a, b) for a in (0, 1) for b in (0, 1)]
    joint = torch.tensor([ratio[a == b] for a, b in coins if a == b])
    product = torch.tensor([ratio[a == b] for a, b in coins])
    assert float(donsker_varadhan_bound(joint, product)) == pytest.approx(math.log(2))


def test_the_divided_critic_is_one_mlp_on_the_joined_pair() -> None:
    torch.manual_seed(0)
    critic = Critic(5, 3)
    joined = nn.Linear(8, 512)
    with torch.no_grad():
        joined.weight.copy_(torch.cat([critic.x_side.weight, critic.y_side.weight], dim=1))
        joined.bias.copy_(critic.x_side.bias)
    mlp = nn.Sequential(joined, *critic.rest)
    x, y = torch.randn(9, 5), torch.randn(9, 3)
    scores = critic.score(*critic.halves(x, y))
    assert scores.shape == (9,)
    torch.testing.assert_close(scores, mlp(torch.cat([x, y], dim=1)).squeeze(1))
    assert sum(p.numel() for p in critic.parameters()) == sum(p.numel() for p in mlp.parameters())


def test_the_critic_starts_within_an_undivided_layers_bounds() -> None:
    torch.manual_seed(0)
    critic = Critic(75, 25)
    for parameter in (*critic.x_side.parameters(), *critic.y_side.parameters()):
        assert 0.08 < float(parameter.detach().abs().max()) <= 0.1


def test_the_epoch_is_chosen_on_one_half_and_scored_on_the_other() -> None:
    x, y = gaussians(8, 1, 0.5, seed=0)
    fit = DonskerVaradhanFit(x, y, in_two(x, y))
    fit.history = [(9.0, 1.0, 0.2), (9.0, 0.4, 0.3), (9.0, 0.5, 0.9)]
    assert fit.estimate() == pytest.approx((0.2 + 0.5) / 2)
    fit.history = [(1.0, -1.0, -2.0)]
    assert fit.estimate() == 0


def test_both_halves_of_the_held_out_pairs_are_scored_apart() -> None:
    x, y = gaussians(64, 2, 0.9, seed=0)
    x_out, y_out = gaussians(41, 2, 0.9, seed=1)
    fit = DonskerVaradhanFit(x, y, in_two(x_out, y_out), epochs=1)
    (record,) = fit
    assert record == fit.history[0]
    scores = []
    for part in (slice(None, 20), slice(20, None)):
        joint = fit.critic.score(*fit.critic.halves(x_out[part], y_out[part]))
        count = len(joint)
        product = torch.cat(
            [
                fit.critic.score(*fit.critic.halves(x_out[part], y_out[part].roll(s, 0)))
                for s in sorted({1 + (count - 1) * k // 6 for k in range(6)})
            ]
        )
        scores.append(float(donsker_varadhan_bound(joint, product).detach()))
    assert record[1:] == pytest.approx(scores, abs=1e-5)


def test_fits_repeat_by_seed_and_leave_global_randomness_alone() -> None:
    x, y = gaussians(128, 2, 0.9, seed=0)

    def history(seed: int) -> list[tuple[float, float, float]]:
        return list(DonskerVaradhanFit(x, y, in_two(x, y), epochs=2, seed=seed))

    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = history(0)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert history(0) == first
    assert history(1) != first
