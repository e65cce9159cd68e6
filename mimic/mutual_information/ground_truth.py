"""How far every estimator is from the truth where the truth is known."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch

from mimic.compute import describe_device
from mimic.errors import ConfigError
from mimic.mutual_information.distributions import KnownCase, known_cases
from mimic.mutual_information.estimators import (
    ESTIMATORS,
    RECOMMENDED,
    Estimator,
    estimator_named,
)
from mimic.mutual_information.fitting import CriticFit, Split
from mimic.mutual_information.nearest_neighbors import ksg_information, principal_components

DIMENSIONS = (2, 10, 50)
EVERYDAY = ("infonce", "mine", "nwj", "smile", "club", "ksg")
"""Estimators of the table unless told otherwise; the joint critic takes ten times as long."""
HELD_OUT = 0.25
TARGET = ("gaussian", 10, 2.0)

Progress = Callable[[float, str], None]


@dataclass(frozen=True, kw_only=True)
class TableSettings:
    """What the table is made of.

    Args:
        pairs: draws per case, for fitting and scoring together.
        seeds: draws and critics of their own per case.
        critics: critics per draw, each holding out another part; the estimate is their mean.
        epochs: passes over the fitting pairs.
        batch_size: pairs per critic update.
        weight_decay: of the critics' Adam; the ``information`` verb takes 0.1, because the views
            of few images are memorised more easily than so many independent pairs.
        dimensions: lengths of x and y, each even.
        estimators: names in ``ESTIMATORS``.
    """

    pairs: int = 5_000
    seeds: int = 3
    critics: int = 2
    epochs: int = 15
    batch_size: int = 128
    weight_decay: float = 1e-2
    dimensions: tuple[int, ...] = DIMENSIONS
    estimators: tuple[str, ...] = EVERYDAY

    def __post_init__(self) -> None:
        if self.pairs < 100 or self.seeds < 1:
            raise ConfigError(
                f"{self.pairs} pairs and {self.seeds} seeds make no table.",
                "Choose at least 100 pairs and 1 seed.",
            )
        for name in self.estimators:
            estimator_named(name)

    @classmethod
    def quick(cls) -> TableSettings:
        """A table in seconds, to see that everything works; its errors are larger."""
        return cls(
            pairs=1_000, seeds=1, critics=1, epochs=8, dimensions=(2,),
            estimators=("mine", "infonce", "club", "ksg"),
        )  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One estimator on one case; nats, except seconds.

    Args:
        distribution: name of the case.
        dims: length of x and of y.
        truth: exact mutual information.
        estimator: its name.
        direction: see ``Estimator``.
        estimate: mean over seeds.
        error: estimate minus truth.
        spread: standard deviation over seeds; 0 with one seed.
        ceiling: the most the estimator could say here, or None.
        seconds: computing time per estimate; cases are trained together and share it evenly.
    """

    distribution: str
    dims: int
    truth: float
    estimator: str
    direction: str
    estimate: float
    error: float
    spread: float
    ceiling: float | None
    seconds: float


def rows(
    settings: TableSettings, *, device: torch.device, on_progress: Progress | None = None
) -> Iterator[Row]:
    """All rows, as they come."""
    total = len(settings.dimensions) * len(settings.estimators)
    done = 0
    for dims in settings.dimensions:
        cases = known_cases(dims)
        drawn = [
            tuple(side.to(device) for side in case.pairs(settings.pairs, seed))
            for case in cases
            for seed in range(settings.seeds)
        ]
        problems = [(x, y) for x, y in drawn]
        for name in settings.estimators:
            if on_progress is not None:
                on_progress(done / total, f"{name} in {dims} dimensions")
            yield from rows_of(estimator_named(name), cases, problems, settings)
            done += 1


def rows_of(
    estimator: Estimator,
    cases: Sequence[KnownCase],
    problems: Sequence[tuple[torch.Tensor, torch.Tensor]],
    settings: TableSettings,
) -> Iterator[Row]:
    """One row per case; ``problems`` holds each case's draws in turn."""
    started = time.perf_counter()
    splits = Split.rotating(settings.pairs, HELD_OUT, settings.critics, seed=0)
    candidates = settings.pairs
    if estimator.critic:
        fit = CriticFit(
            problems, splits, estimator, seeds=range(settings.critics),
            epochs=settings.epochs, batch_size=settings.batch_size,
            weight_decay=settings.weight_decay,
        )  # fmt: skip
        for _ in fit:
            pass
        found = fit.estimates().mean(1).tolist()
        candidates = fit.candidates
    else:
        found = [nearest_neighbors(x, y, splits[0]) for x, y in problems]
    seconds = (time.perf_counter() - started) / len(problems)
    for number, case in enumerate(cases):
        own = found[number * settings.seeds : (number + 1) * settings.seeds]
        mean = statistics.fmean(own)
        yield Row(
            case.name, case.dims, case.truth, estimator.name, estimator.direction, mean,
            mean - case.truth, statistics.stdev(own) if len(own) > 1 else 0.0,
            estimator.ceiling(candidates), seconds,
        )  # fmt: skip


def nearest_neighbors(x: torch.Tensor, y: torch.Tensor, split: Split) -> float:
    """KSG on principal components; nothing is fitted but the projection, so all pairs count."""
    x_part, y_part = (principal_components(side, split.fitted) for side in (x, y))
    return max(0.0, ksg_information(x_part, y_part))


def ground_truth_table(
    settings: TableSettings, *, device: torch.device, on_progress: Progress | None = None
) -> dict[str, Any]:
    """The whole table, ready for JSON: ``rows``, ``recommended``, ``machine`` and settings.

    ``recommended`` names the default estimator and what it reached on the case the project holds
    itself to: 2 nats in ten dimensions, and independent pairs of the same length.
    """
    started = time.perf_counter()
    found = list(rows(settings, device=device, on_progress=on_progress))
    own = [row for row in found if row.estimator == RECOMMENDED]
    goal = next((r for r in own if (r.distribution, r.dims, r.truth) == TARGET), None)
    null = next((r for r in own if r.distribution == "independent" and r.dims == TARGET[1]), None)
    return {
        "rows": [asdict(row) for row in found],
        "recommended": {
            "estimator": RECOMMENDED,
            "relative_error": None if goal is None else goal.error / goal.truth,
            "nats_of_independent_pairs": None if null is None else null.estimate,
        },
        "references": {name: ESTIMATORS[name].reference for name in settings.estimators},
        "settings": asdict(settings),
        "machine": describe_device(device),
        "seconds": time.perf_counter() - started,
    }


def as_text(table: dict[str, Any]) -> str:
    """The table for a terminal."""
    lines = [f"{'distribution':<18}{'d':>3}{'truth':>7}  {'estimator':<11}{'direction':<10}"
             f"{'estimate':>8}{'error':>8}{'spread':>8}{'seconds':>9}"]  # fmt: skip
    lines += [
        f"{row['distribution']:<18}{row['dims']:>3}{row['truth']:>7.2f}  {row['estimator']:<11}"
        f"{row['direction']:<10}{row['estimate']:>8.2f}{row['error']:>+8.2f}{row['spread']:>8.2f}"
        f"{row['seconds']:>9.2f}"
        for row in table["rows"]
    ]
    return "\n".join([*lines, f"{table['machine']}, {table['seconds']:.0f} seconds in all"])
