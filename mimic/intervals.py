"""Confidence intervals of shares and of their differences; nothing here needs torch."""

from __future__ import annotations

import math
from collections.abc import Sequence

Interval = tuple[float, float]
STUDENT = {11: 2.201}
"""97.5 % quantile of Student's distribution by degrees of freedom."""


def wilson_interval(successes: int, trials: int, *, z: float = 1.96) -> Interval:
    """95 % confidence interval of a proportion (Wilson, JASA 1927).

    Args:
        successes: how many of the trials succeeded.
        trials: how many there were, at least 1.
        z: normal quantile; 1.96 for 95 %.
    """
    return share_interval(successes / trials, trials, z=z)


def share_interval(share: float, trials: int, *, z: float = 1.96) -> Interval:
    """Wilson's interval of a mean of values from 0 to 1, of which no two trials share one.

    Their variance is at most that of a proportion, so for an area under the ROC curve it is wide
    enough (Birnbaum and Klose, Annals of Mathematical Statistics 28, 1957), also where that is 1.

    Args:
        share: the mean.
        trials: how many values there were, at least 1.
        z: normal quantile; 1.96 for 95 %.
    """
    centre = share + z * z / (2 * trials)
    spread = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials**2))
    scale = 1 + z * z / trials
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def difference_interval(
    before: float, before_interval: Sequence[float], after: float, after_interval: Sequence[float]
) -> Interval:
    """Interval of ``after - before`` from the intervals of both shares.

    Newcombe's hybrid score interval (Statistics in Medicine 17, 1998, method 10). It takes both for
    measured on different images; where they are the same images it is wider than needed.
    """
    low, high = before_interval
    new_low, new_high = after_interval
    difference = after - before
    return (
        difference - math.hypot(after - new_low, high - before),
        difference + math.hypot(new_high - after, before - low),
    )


def jackknife_interval(value: float, left_out: Sequence[float]) -> Interval:
    """95 % interval of a number from what it is without each of 12 groups of its data.

    The delete-a-group jackknife (Kott, Journal of Official Statistics 17, 2001). Drawing with
    repetition, as a bootstrap does, would make repeated images look alike and bias ranks.

    Args:
        value: the number on all data.
        left_out: the number without each group.
    """
    count = len(left_out)
    mean = sum(left_out) / count
    spread = math.sqrt((count - 1) / count * sum((one - mean) ** 2 for one in left_out))
    reach = STUDENT[count - 1] * spread
    return value - reach, value + reach
