import math

import pytest
import torch

from mimic.losses import nt_xent_loss


def loop_loss(view_1: torch.Tensor, view_2: torch.Tensor, temperature: float) -> float:
    rows = [*view_1.tolist(), *view_2.tolist()]
    batch = len(view_1)

    def similarity(i: int, j: int) -> float:
        dot = sum(a * b for a, b in zip(rows[i], rows[j], strict=True))
        return dot / math.hypot(*rows[i]) / math.hypot(*rows[j])

    total = 0.0
    for i in range(2 * batch):
        partner = i + batch if i < batch else i - batch
        others = [
            math.exp(similarity(i, k) / temperature) for k in range(2 * batch) if k != i
        ]  # fmt: skip
        total -= math.log(math.exp(similarity(i, partner) / temperature) / sum(others))
    return total / (2 * batch)


@pytest.mark.parametrize("temperature", [0.07, 0.5, 2.0])
def test_loss_agrees_with_a_double_loop(temperature: float) -> None:
    torch.manual_seed(0)
    one, two = torch.randn(5, 6), torch.randn(5, 6)
    assert float(nt_xent_loss(one, two, temperature=temperature)) == pytest.approx(
        loop_loss(one, two, temperature), rel=1e-5
    )


def test_loss_ignores_lengths_and_the_order_of_views() -> None:
    torch.manual_seed(1)
    one, two = torch.randn(4, 3), torch.randn(4, 3)
    plain = nt_xent_loss(one, two)
    torch.testing.assert_close(nt_xent_loss(two, one), plain)
    torch.testing.assert_close(nt_xent_loss(one * 9, two * 0.1), plain)


def test_matching_views_lose_less_than_mismatched_ones() -> None:
    torch.manual_seed(2)
    views = torch.randn(8, 16)
    assert nt_xent_loss(views, views) < nt_xent_loss(views, views.roll(1, 0))


def test_collapsed_projections_cost_the_logarithm_of_the_choices() -> None:
    ones = torch.ones(5, 3)
    assert float(nt_xent_loss(ones, ones)) == pytest.approx(math.log(9), rel=1e-5)


def test_gradients_reach_both_views() -> None:
    torch.manual_seed(3)
    one = torch.randn(4, 3, requires_grad=True)
    two = torch.randn(4, 3, requires_grad=True)
    nt_xent_loss(one, two).backward()
    for view in (one, two):
        assert view.grad is not None
        assert view.grad.abs().sum() > 0
