"""The Donsker-Varadhan lower bound on mutual information, fitted by a critic (MINE).

Belghazi et al., "Mutual Information Neural Estimation", ICML 2018, equation 10:
``I(X; Y) >= E_joint[T] - log E_product[exp T]`` for every function T. The critic is the public
MIMIC code's: an MLP in-512-512-1 on the joined pair.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from torch import nn

from mimic.compute import autocast, generator, one_thread
from mimic.training import batches, non_finite

HIDDEN = 512
EVALUATION_SHUFFLES = 6


class Critic(nn.Module):
    """T(x, y): an MLP on the joined pair.

    The first linear layer is kept as two halves, one per side, which is the same function; joint
    and shuffled pairs then share the costly product with the wide activation.

    Args:
        x_dim: length of x.
        y_dim: length of y.
    """

    def __init__(self, x_dim: int, y_dim: int) -> None:
        super().__init__()
        self.x_side = nn.Linear(x_dim, HIDDEN)
        self.y_side = nn.Linear(y_dim, HIDDEN, bias=False)
        bound = 1 / math.sqrt(x_dim + y_dim)  # torch's initialisation of the undivided layer
        for parameter in (*self.x_side.parameters(), *self.y_side.parameters()):
            nn.init.uniform_(parameter, -bound, bound)
        self.rest = nn.Sequential(
            nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 1)
        )

    def halves(self, x: torch.Tensor, y: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Both halves of the first layer, (N, hidden) each."""
        return self.x_side(x), self.y_side(y)

    def score(self, x_half: torch.Tensor, y_half: torch.Tensor) -> torch.Tensor:
        """T of pairs given as halves, (N,)."""
        scores: torch.Tensor = self.rest(x_half + y_half).squeeze(1)
        return scores.float()


def donsker_varadhan_bound(joint: torch.Tensor, product: torch.Tensor) -> torch.Tensor:
    """``mean(joint) - log mean(exp(product))``, in nats.

    Args:
        joint: critic scores of true pairs, (N,).
        product: critic scores of independently drawn pairs, (M,).
    """
    return joint.mean() - (product.logsumexp(0) - math.log(len(product)))


class DonskerVaradhanFit:
    """Fits a critic and scores it on pairs it was not fitted on.

    Iterating yields, per epoch, the bound on the fitting pairs and on the two held-out halves.

    Args:
        x: one side of the true pairs, (N, x_dim).
        y: the other side, row by row, (N, y_dim).
        held_out: both sides of the pairs for scoring, in two parts, at least 2 pairs each.
        epochs: passes over the pairs.
        batch_size: pairs per update.
        learning_rate: of Adam; weight decay is 1e-5 as in the public code.
        seed: initial critic, order and shuffles.
        precision: number format of the matrix products; the bound itself is float32.
    """

    def __init__(
        self,
        x: torch.Tensor,
        y: torch.Tensor,
        held_out: Sequence[tuple[torch.Tensor, torch.Tensor]],
        *,
        epochs: int = 40,
        batch_size: int = 128,
        learning_rate: float = 1e-3,
        seed: int = 0,
        precision: torch.dtype = torch.float32,
    ) -> None:
        self.x, self.y, self.precision = x, y, precision
        self.halves = held_out
        self.epochs = epochs
        self.batch_size = batch_size
        self.random = generator(x.device, seed)
        devices = [x.device] if x.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices):
            torch.manual_seed(seed)
            self.critic = Critic(x.shape[1], y.shape[1]).to(x.device)
        self.optimizer = torch.optim.Adam(
            self.critic.parameters(), lr=learning_rate, weight_decay=1e-5,
            fused=x.device.type in ("cpu", "cuda"),
        )  # fmt: skip
        self.history: list[tuple[float, float, float]] = []

    def __iter__(self) -> Iterator[tuple[float, float, float]]:
        """One epoch per step: bound on the fitting pairs, on held-out half A, on half B (nats)."""
        for _ in range(self.epochs):
            with one_thread(self.x.device):
                self.history.append(self.epoch())
            if not all(map(math.isfinite, self.history[-1])):
                raise non_finite(len(self.history), "critic")
            yield self.history[-1]

    def epoch(self) -> tuple[float, float, float]:
        """One pass over the fitting pairs, and the bounds after it."""
        bounds = []
        for index in batches(len(self.x), self.batch_size, self.random):
            self.optimizer.zero_grad()
            with autocast(self.x.device, self.precision):
                x_half, y_half = self.critic.halves(self.x[index], self.y[index])
                shuffled = y_half[self.permutation(len(index))]
                joint = self.critic.score(x_half, y_half)
                product = self.critic.score(x_half, shuffled)
            bound = donsker_varadhan_bound(joint, product)
            (-bound).backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            bounds.append(bound.detach())
        a, b = (self.bound(*half) for half in self.halves)
        return float(torch.stack(bounds).mean()), a, b

    @torch.no_grad()
    def bound(self, x: torch.Tensor, y: torch.Tensor) -> float:
        """The bound on held-out pairs; several shifts stand for the product distribution."""
        shifts = {1 + (len(x) - 1) * k // EVALUATION_SHUFFLES for k in range(EVALUATION_SHUFFLES)}
        with autocast(x.device, self.precision):
            x_half, y_half = self.critic.halves(x, y)
            joint = self.critic.score(x_half, y_half)
            product = [self.critic.score(x_half, y_half.roll(s, 0)) for s in sorted(shifts)]
        return float(donsker_varadhan_bound(joint, torch.cat(product)))

    def permutation(self, count: int) -> torch.Tensor:
        """A random order of ``count`` rows."""
        order = torch.randperm(count, generator=self.random, device=self.random.device)
        return order.to(self.x.device)

    def estimate(self) -> float:
        """The bound, in nats, at least 0.

        A critic that trains too long overfits and its held-out bound falls. The epoch is therefore
        chosen on one held-out half and scored on the other, both ways, and averaged, so the choice
        does not flatter the score.
        """
        on_a = max(self.history, key=lambda h: h[1])[2]
        on_b = max(self.history, key=lambda h: h[2])[1]
        return max(0.0, (on_a + on_b) / 2)
