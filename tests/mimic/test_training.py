import math

import pytest
import torch

from mimic.training import batches, batches_per_epoch, learning_rate_at


def test_the_rate_warms_up_linearly_then_follows_a_half_cosine() -> None:
    rates = [learning_rate_at(s, 100, peak=0.5, schedule="cosine") for s in range(100)]
    for step in range(10):
        assert rates[step] == pytest.approx(0.5 * (step + 1) / 10)
    for step in range(10, 100):
        assert rates[step] == pytest.approx(0.25 * (1 + math.cos(math.pi * (step - 10) / 90)))
    assert max(rates) == rates[9] == pytest.approx(0.5)
    assert 0 < rates[-1] < 0.001


@pytest.mark.parametrize("total", [1, 2, 3])
def test_very_short_trainings_still_move(total: int) -> None:
    rates = [learning_rate_at(s, total, peak=1, schedule="cosine") for s in range(total)]
    assert rates[0] == 1
    assert all(0 <= rate <= 1 for rate in rates)


def test_a_constant_schedule_never_changes() -> None:
    assert {learning_rate_at(s, 9, peak=0.3, schedule="constant") for s in range(9)} == {0.3}


def test_the_warm_up_takes_the_share_asked_for_and_may_end_in_a_constant_rate() -> None:
    rates = [learning_rate_at(s, 40, peak=0.5, schedule="warmup", warm_up=0.25) for s in range(40)]
    assert rates == pytest.approx([0.05 * (s + 1) for s in range(10)] + [0.5] * 30)
    cosine = [learning_rate_at(s, 40, peak=0.5, schedule="cosine", warm_up=0.25) for s in range(40)]
    assert cosine[:11] == pytest.approx(rates[:11])
    assert cosine[25] == pytest.approx(0.25)
    for share in (0.0, 1.0):
        values = [
            learning_rate_at(s, 8, peak=1, schedule="cosine", warm_up=share) for s in range(8)
        ]
        assert max(values) == 1
        assert min(values) >= 0


@pytest.mark.parametrize(("count", "size", "made"), [(10, 3, 3), (9, 3, 3), (4, 8, 1), (5, 5, 1)])
def test_batches_are_distinct_full_and_in_random_order(count: int, size: int, made: int) -> None:
    random = torch.Generator().manual_seed(0)
    first, second = batches(count, size, random), batches(count, size, random)
    assert len(first) == made == batches_per_epoch(count, size)
    for epoch in (first, second):
        drawn = torch.cat(epoch).tolist()
        assert len(set(drawn)) == len(drawn) == made * min(size, count)
        assert set(drawn) <= set(range(count))
        assert {len(batch) for batch in epoch} == {min(size, count)}
    assert torch.cat(first).tolist() != torch.cat(second).tolist()
    again = batches(count, size, torch.Generator().manual_seed(0))
    assert torch.equal(torch.cat(first), torch.cat(again))
