"""Confidence intervals of shares and of their differences; nothing here needs torch."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

Interval = tuple[float, float]
STUDENT = {11: 2.201}
"""97.5 % quantile of Student's distribution by degrees of freedom."""
QUANTILE = 1.96
"""Normal quantile of a 95 % interval."""


def quantile_among(choices: int) -> float:
    """Normal quantile of a 95 % interval for the value that was picked out of several.

    Bonferroni's: whichever of the values is picked, and be it for standing out on these very
    images, its interval misses with at most 5 % (Dunn, JASA 56, 1961).

    Args:
        choices: how many values there were to pick from; 1 if it was named beforehand.
    """
    return QUANTILE if choices == 1 else NormalDist().inv_cdf(1 - 0.025 / choices)


def wilson_interval(successes: int, trials: int, *, z: float = QUANTILE) -> Interval:
    """95 % confidence interval of a proportion (Wilson, JASA 1927).

    Args:
        successes: how many of the trials succeeded.
        trials: how many there were, at least 1.
        z: normal quantile; 1.96 for 95 %.
    """
    return share_interval(successes / trials, trials, z=z)


def share_interval(share: float, trials: int, *, z: float = QUANTILE) -> Interval:
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


def interval_of(scores: Mapping[str, Any], measure: str) -> Sequence[float] | None:
    """The interval of an encoder's measure: as it was stored, or None.

    Runs made before ``asr_all`` had one get it from its counts, where these were stored.
    """
    stored: Sequence[float] | None = scores.get(f"{measure}_interval")
    if stored or measure != "asr_all":
        return stored
    share, images = scores.get("asr_all"), scores.get("test_images")
    if share is None or not images:
        return None
    hits = round(share * images)
    # A share that is no number of these images was counted on others.
    return wilson_interval(hits, images) if math.isclose(hits / images, share) else None


def target_share(scores: Mapping[str, Any]) -> float | None:
    """The share of the test images that truly are of the target class, as ``asr_all`` counts them.

    An encoder that knows every image for what it is scores this, not 0.
    """
    images, others = scores.get("test_images"), scores.get("stamped_images")
    return (images - others) / images if images and others else None


def difference_interval(
    before: float, before_interval: Sequence[float], after: float, after_interval: Sequence[float]
) -> Interval:
    """Interval of ``after - before`` from the intervals of both shares.

    Newcombe's hybrid score interval (Statistics in Medicine 17, 1998, method 10 of "Interval
    estimation for the difference between independent proportions"). It takes both for measured on
    different images; where they are the same images it is usually wider than needed, see
    ``paired_difference_interval``.
    """
    low, high = before_interval
    new_low, new_high = after_interval
    difference = after - before
    return (
        difference - math.hypot(after - new_low, high - before),
        difference + math.hypot(new_high - after, before - low),
    )


def paired_difference_interval(
    both: int, before: int, after: int, neither: int, *, z: float = QUANTILE
) -> Interval:
    """Interval of ``after - before``, two shares measured on the same images.

    Newcombe's square-and-add interval with a corrected correlation (method 10 of "Improved
    confidence intervals for the difference between binomial proportions based on paired data",
    Statistics in Medicine 17, 1998, 2635-2650).

    Args:
        both: images that succeeded both times.
        before: images that succeeded only before.
        after: images that succeeded only after.
        neither: images that succeeded neither time.
        z: normal quantile; 1.96 for 95 %.
    """
    images = both + before + after + neither
    old, new = both + before, both + after
    product = old * (images - old) * new * (images - new)
    excess = float(both * neither - before * after)
    if excess > 0:
        excess = max(0.0, excess - images / 2)
    correlation = excess / math.sqrt(product) if product else 0.0
    low_old, high_old = wilson_interval(old, images, z=z)
    low_new, high_new = wilson_interval(new, images, z=z)
    old_share, new_share = old / images, new / images

    def reach(one: float, other: float) -> float:
        return math.sqrt(max(0.0, one * one - 2 * correlation * one * other + other * other))

    difference = (after - before) / images
    return (
        difference - reach(new_share - low_new, high_old - old_share),
        difference + reach(high_new - new_share, old_share - low_old),
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
