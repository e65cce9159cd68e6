"""The estimators of mutual information to choose from, and what may be concluded from each."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch

from mimic.errors import ConfigError
from mimic.mutual_information.bounds import (
    club_bound,
    donsker_varadhan_bound,
    info_nce_bound,
    jensen_shannon_objective,
    mean_log_likelihood,
    nwj_bound,
    smile_bound,
)

Direction = Literal["lower", "upper", "neither"]
Formula = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


@dataclass(frozen=True, kw_only=True)
class Estimator:
    """One way to estimate mutual information.

    Args:
        name: what settings call it.
        title: what people call it.
        direction: whether its expectation on pairs it was not fitted on lies below the truth
            (``lower``), above (``upper``), or may do either.
        reference: where it comes from.
        critic: ``separable``, ``joint`` or ``conditional`` (see ``critics``); empty where nothing
            is trained.
        objective: what the critic ascends on fitting pairs, and what chooses the epoch on held-out
            ones; of (joint, product) scores, see ``bounds``.
        bound: the estimate in nats from the same scores.
        moving_average: whether the gradient takes MINE's moving average as denominator.
        is_capped: whether the estimate cannot exceed the logarithm of the candidates per row.
    """

    name: str
    title: str
    direction: Direction
    reference: str
    critic: str = "separable"
    objective: Formula = donsker_varadhan_bound
    bound: Formula = donsker_varadhan_bound
    moving_average: bool = False
    is_capped: bool = False

    def ceiling(self, pairs: int) -> float | None:
        """The most it can say, in nats, when scored on ``pairs`` pairs; None: no limit."""
        return math.log(pairs) if self.is_capped else None


ESTIMATORS = {
    estimator.name: estimator
    for estimator in (
        Estimator(
            name="mine",
            title="Donsker-Varadhan bound (MINE), separable critic",
            direction="lower",
            reference="Belghazi et al., Mutual Information Neural Estimation, ICML 2018",
            moving_average=True,
        ),
        Estimator(
            name="mine-joint",
            title="Donsker-Varadhan bound with the MIMIC authors' joint critic",
            direction="lower",
            reference="public code wssun/MIMIC; Belghazi et al., ICML 2018",
            critic="joint",
        ),
        Estimator(
            name="infonce",
            title="InfoNCE",
            direction="lower",
            reference="van den Oord et al., Contrastive Predictive Coding, 2018",
            objective=info_nce_bound,
            bound=info_nce_bound,
            is_capped=True,
        ),
        Estimator(
            name="nwj",
            title="NWJ",
            direction="lower",
            reference="Nguyen, Wainwright and Jordan, IEEE Trans. Information Theory 2010",
            objective=nwj_bound,
            bound=nwj_bound,
        ),
        Estimator(
            name="smile",
            title="SMILE",
            direction="neither",
            reference="Song and Ermon, ICLR 2020",
            objective=jensen_shannon_objective,
            bound=smile_bound,
        ),
        Estimator(
            name="club",
            title="CLUB",
            direction="upper",
            reference="Cheng et al., ICML 2020",
            critic="conditional",
            objective=mean_log_likelihood,
            bound=club_bound,
        ),
        Estimator(
            name="ksg",
            title="KSG nearest neighbours on principal components",
            direction="neither",
            reference="Kraskov, Stögbauer and Grassberger, Physical Review E 2004",
            critic="",
        ),
    )
}
RECOMMENDED = "infonce"


def estimator_named(name: str) -> Estimator:
    """The estimator a setting names.

    Raises:
        ConfigError: if there is none of that name.
    """
    if name not in ESTIMATORS:
        raise ConfigError(
            f"There is no estimator '{name}'.", f"Choose among {', '.join(ESTIMATORS)}."
        )
    return ESTIMATORS[name]
