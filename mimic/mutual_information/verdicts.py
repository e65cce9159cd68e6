"""Whether a fitted curve can be trusted, in one word and one sentence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mimic.mutual_information.estimators import Estimator

NOTHING = 0.05
"""Nats below which an estimate is taken for 0: what independent pairs may show by chance."""
SPREAD_SHARE, SPREAD_LEAST = 0.5, 0.2
RISE_SHARE, RISE_LEAST = 0.05, 0.03
LOSS_SHARE, LOSS_LEAST = 0.25, 0.1
NEAR_CEILING = 0.85


@dataclass(frozen=True)
class Verdict:
    """A state (``converged``, ``still rising``, ``overfits``, ``nothing learned`` or ``noisy``)
    and what it means for the reader.
    """  # noqa: D205

    state: str
    sentence: str


def judge_fit(
    fit: Sequence[float],
    held_out: Sequence[float],
    critics: Sequence[float],
    *,
    estimator: Estimator,
    upper_bound: float | None = None,
    ceiling: float | None = None,
    own_pairs: bool = False,
) -> Verdict:
    """Judge a fit by its curve; the gravest matter comes first.

    Args:
        fit: nats on fitting pairs by epoch.
        held_out: nats on held-out pairs by epoch.
        critics: the estimate of each critic.
        estimator: what was fitted.
        upper_bound: the most that can be there, in nats, if known.
        ceiling: the most the estimator can say here, in nats, if it has a limit.
        own_pairs: whether the pairs it was scored on are those it was fitted on.
    """
    estimate = sum(critics) / len(critics)
    apart = max(critics) - min(critics)
    if own_pairs:
        rising = is_rising(fit)
        state = "still rising" if rising else "overfits"
        return Verdict(
            state, "Scored on the pairs it was fitted on, as the public code does: the value also "
            "counts what the critic memorised, so it bounds nothing."
            + (" It was still rising at the last epoch." if rising else ""),
        )  # fmt: skip
    if estimate < NOTHING:
        return nothing_learned(fit, upper_bound)
    if apart > max(SPREAD_LEAST, SPREAD_SHARE * estimate):
        return Verdict(
            "noisy", f"Critics disagree by {apart:.2f} nats: use more pairs or more critics."
        )
    if estimator.direction != "upper" and is_rising(held_out):
        return Verdict(
            "still rising",
            "The estimate was still rising at the last epoch: more critic epochs will raise it.",
        )
    lost = max(held_out) - held_out[-1]
    if estimator.direction != "upper" and lost > max(LOSS_LEAST, LOSS_SHARE * max(held_out)):
        return Verdict(
            "overfits",
            f"After its best epoch the critic memorised its pairs and lost {lost:.2f} nats on "
            "held-out ones; the value is from the best epoch, and more images would raise it.",
        )
    if ceiling is not None and estimate > NEAR_CEILING * ceiling:
        return Verdict(
            "converged",
            f"The critic stopped improving, but close to the ceiling of {ceiling:.2f} nats that "
            "the number of held-out pairs sets: the truth may be far above.",
        )
    return Verdict("converged", "The critic stopped improving on pairs it was not fitted on.")


def nothing_learned(fit: Sequence[float], upper_bound: float | None) -> Verdict:
    """An estimate of about 0: nothing there, or nothing found."""
    if upper_bound is not None and upper_bound < 10 * NOTHING:
        text = (
            f"About 0, and rightly so: at most {upper_bound:.2f} nats can be there, because the "
            "features hardly vary on these images."
        )
    elif fit[-1] > 2 * NOTHING:
        text = (
            "The critic only memorised its own pairs: 0 here means that nothing was found, not "
            "that nothing is there."
        )
    else:
        text = (
            "The critic has not learned anything: 0 here means that nothing was found, not that "
            "nothing is there."
        )
    return Verdict("nothing learned", text)


def is_rising(values: Sequence[float]) -> bool:
    """Whether the last fifth of the epochs lies clearly above the fifth before it."""
    part = len(values) // 5
    if part < 1:
        return len(values) > 1 and values[-1] - values[-2] > RISE_LEAST
    last = sum(values[-part:]) / part
    before = sum(values[-2 * part : -part]) / part
    return last - before > max(RISE_LEAST, RISE_SHARE * abs(last))
