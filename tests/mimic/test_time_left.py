from collections.abc import Callable

import pytest

from mimic.run.time_left import TimeLeft


def told(pace: Callable[[float], float], until: float, every: float = 0.7) -> list[float | None]:
    """What is told while work with a pace, shares per second, goes on; pace depends on share."""
    left, now, share, said = TimeLeft(), 100.0, 0.0, []
    while share < until:
        now, share = now + every, share + every * pace(share)
        said.append(left.after(now, share))
    return said


def test_a_constant_pace_is_told_exactly_and_start_up_does_not_count() -> None:
    left = TimeLeft()
    assert left.after(0.0, 0.0) is None
    assert left.after(500.0, 0.1) is None  # No pace yet.
    assert left.after(502.0, 0.2) == pytest.approx(16.0)
    assert left.after(504.0, 0.3) == pytest.approx(14.0)


def test_many_steps_within_a_moment_are_gathered_not_lost() -> None:
    left = TimeLeft()
    left.after(0.0, 0.001)
    said = [left.after(0.01 * n, 0.001 * (n + 1)) for n in range(1, 500)]
    assert said[-1] == pytest.approx(5.0, rel=0.05)  # 0.1 per second, half is left


@pytest.mark.parametrize("ratio", [0.2, 5.0])
def test_a_stage_of_another_pace_is_noticed(ratio: float) -> None:
    first = 0.02

    def pace(share: float) -> float:
        return first if share < 0.3 else first * ratio

    truth = 0.3 / (first * ratio)
    assert told(pace, 0.7)[-1] == pytest.approx(truth, rel=0.3)
    elapsed = 0.3 / first + 0.4 / (first * ratio)
    by_mean = 0.3 * elapsed / 0.7
    assert abs(by_mean - truth) > 0.3 * truth  # So the pace of the whole run would not do.


def test_work_in_stairs_is_told_steadily() -> None:
    """Every third step takes three times as long, as where an epoch is measured now and then."""
    left, now, share, said = TimeLeft(), 0.0, 0.0, []
    for turn in range(90):
        now, share = now + (3.0 if turn % 3 == 0 else 1.0), share + 0.01
        said.append((left.after(now, share), (1 - share) / 0.01 * 5 / 3))
    assert all(
        guess == pytest.approx(truth, rel=0.35) for guess, truth in said[30:] if guess is not None
    )


def test_shares_that_go_back_or_stand_still_never_give_nonsense() -> None:
    left = TimeLeft()
    left.after(0.0, 0.5)
    assert left.after(1.0, 0.5) is None
    left.after(2.0, 0.6)
    assert (left.after(3.0, 0.4) or 0) >= 0
    assert left.after(4.0, 1.0) == 0
