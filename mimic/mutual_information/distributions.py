"""Pairs of variables whose mutual information is known exactly.

In the manner of Czyz et al., "Beyond Normal: On the Evaluation of Mutual Information Estimators",
NeurIPS 2023: Gaussians, invertible maps of them (which change no information), heavy tails, and
interactions in a few coordinates only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch

Draw = Callable[[int, torch.Generator], tuple[torch.Tensor, torch.Tensor]]
TAIL = 5
INTERACTING = 2


@dataclass(frozen=True)
class KnownCase:
    """Pairs with their exact information.

    Args:
        name: kind of distribution.
        dims: length of x, and of y.
        truth: exact mutual information in nats.
        draw: makes N pairs, (N, dims) each, from a random stream.
    """

    name: str
    dims: int
    truth: float
    draw: Draw

    def pairs(self, count: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
        """``count`` pairs, each column with mean 0 and standard deviation 1."""
        sides = self.draw(count, torch.Generator().manual_seed(seed))
        x, y = ((side - side.mean(0)) / side.std(0) for side in sides)
        return x, y


def correlation_for(nats: float, coordinates: int) -> float:
    """Correlation of each of ``coordinates`` Gaussian pairs that share ``nats`` in all.

    From ``I = -coordinates / 2 * log(1 - rho^2)``.
    """
    return math.sqrt(-math.expm1(-2 * nats / coordinates))


def correlated(dims: int, rho: float, interacting: int) -> Draw:
    """Gaussians whose first ``interacting`` coordinates correlate pairwise; the rest is noise."""

    def draw(count: int, random: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        x = torch.randn(count, dims, generator=random)
        y = torch.randn(count, dims, generator=random)
        first = slice(0, interacting)
        y[:, first] = rho * x[:, first] + math.sqrt(1 - rho**2) * y[:, first]
        return x, y

    return draw


def half_cube(values: torch.Tensor) -> torch.Tensor:
    """``sign(v) |v|^1.5`` by coordinate, invertible."""
    return values.sign() * values.abs().pow(1.5)


def spiral(values: torch.Tensor) -> torch.Tensor:
    """Turn each two neighbouring coordinates by a quarter of their squared length; invertible.

    A turn keeps the length, so the angle can be found again from the result.
    """
    first, second = values[:, 0::2], values[:, 1::2]
    angle = (first.pow(2) + second.pow(2)) / 4
    cosine, sine = angle.cos(), angle.sin()
    turned = torch.stack([cosine * first - sine * second, sine * first + cosine * second], dim=2)
    return turned.flatten(1)


def mapped(draw: Draw) -> Draw:
    """The same pairs after x went through ``half_cube`` and y through ``spiral``."""

    def drawn(count: int, random: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        x, y = draw(count, random)
        return half_cube(x), spiral(y)

    return drawn


def student(draw: Draw, freedom: int = TAIL) -> Draw:
    """Multivariate Student-t: Gaussian pairs divided by one common random scale."""

    def drawn(count: int, random: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        x, y = draw(count, random)
        squares = torch.randn(count, freedom, generator=random).pow(2).mean(1, keepdim=True)
        return x / squares.sqrt(), y / squares.sqrt()

    return drawn


def student_excess(x_dim: int, y_dim: int, freedom: int = TAIL) -> float:
    """What the common scale of a Student-t adds to the Gaussian's information, in nats.

    ``f(v) + f(v + m + n) - f(v + m) - f(v + n)`` with ``f(t) = log Gamma(t/2) - t/2 psi(t/2)``
    (Czyz et al., section 2; Arellano-Valle et al., 2013).
    """

    def part(t: int) -> float:
        half = torch.tensor(t / 2, dtype=torch.float64)
        return float(torch.lgamma(half) - half * torch.digamma(half))

    return (
        part(freedom)
        + part(freedom + x_dim + y_dim)
        - part(freedom + x_dim)
        - part(freedom + y_dim)
    )


def known_cases(dims: int) -> list[KnownCase]:
    """All cases with x and y of length ``dims``, which has to be even."""
    cases = []
    for nats in (0.5, 2.0, 5.0):
        gaussian = correlated(dims, correlation_for(nats, dims), dims)
        cases += [
            KnownCase("gaussian", dims, nats, gaussian),
            KnownCase("gaussian, mapped", dims, nats, mapped(gaussian)),
        ]
    gaussian = correlated(dims, correlation_for(1.0, dims), dims)
    sparse = correlated(dims, correlation_for(2.0, INTERACTING), INTERACTING)
    return [
        *cases,
        KnownCase("student-t", dims, 1.0 + student_excess(dims, dims), student(gaussian)),
        KnownCase("sparse gaussian", dims, 2.0, sparse),
        KnownCase("independent", dims, 0.0, correlated(dims, 0.0, 0)),
    ]
