"""Critics of many problems, trained together.

A *problem* is a set of pairs (x, y), for example one layer with the features. Every problem gets S
critics of their own seed; together they are E = problems * S critics, problem by problem. First
layers differ in width and stay apart; all that follows is stacked and runs as one batched product.

Shapes: S critics per problem, B pairs per batch, H hidden units, K length of an embedding.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import nn

EMBEDDING = 32
SEPARABLE_HIDDEN = 256
CONDITIONAL_HIDDEN = 256
JOINT_HIDDEN = 512
SHIFTS = 6


class PerSeed:
    """Initial values that depend on a critic's own seed only, however many are stacked.

    Args:
        seeds: one per critic of a problem.
        device: where parameters live.
    """

    def __init__(self, seeds: Sequence[int], device: torch.device) -> None:
        self.streams = [torch.Generator().manual_seed(seed) for seed in seeds]
        self.device = device

    def uniform(self, *shape: int, fan_in: int) -> torch.Tensor:
        """(S, *shape), uniform within 1/sqrt(fan_in): torch's initialisation of a linear layer."""
        drawn = [torch.rand(*shape, generator=stream) for stream in self.streams]
        return ((torch.stack(drawn) * 2 - 1) / math.sqrt(fan_in)).to(self.device)


def off_diagonal(scores: torch.Tensor) -> torch.Tensor:
    """The entries (..., N, N - 1) off the diagonal of (..., N, N), row by row."""
    count = scores.shape[-1]
    lead = scores.shape[:-2]
    # Read from entry 1 on in rows of N + 1, every row ends with an entry of the diagonal.
    rows = scores.flatten(-2)[..., 1:].reshape(*lead, count - 1, count + 1)
    return rows[..., :-1].reshape(*lead, count, count - 1)


class Stack(nn.Module, ABC):
    """What the stacks of critics share: parameters drawn seed by seed, problem by problem.

    Args:
        widths: (x_dim, y_dim) of each problem.
        seeds: one per critic of a problem; problems use the same ones.
        device: where parameters live.
    """

    def __init__(
        self, widths: Sequence[tuple[int, int]], seeds: Sequence[int], device: torch.device
    ) -> None:
        super().__init__()
        self.draws = [PerSeed(seeds, device) for _ in widths]
        self.widths = widths

    def first(self, side: int, out: int, *, joined: bool = False) -> nn.ParameterList:
        """First-layer weights (S, in, out) of each problem."""
        return nn.ParameterList(
            draw.uniform(width[side], out, fan_in=sum(width) if joined else width[side])
            for draw, width in zip(self.draws, self.widths, strict=True)
        )

    def later(self, *shape: int, fan_in: Sequence[int]) -> nn.Parameter:
        """Stacked parameters (E, *shape)."""
        parts = zip(self.draws, fan_in, strict=True)
        return nn.Parameter(torch.cat([draw.uniform(*shape, fan_in=n) for draw, n in parts]))

    def same(self, width: int) -> list[int]:
        """The same number for each problem."""
        return [width] * len(self.widths)

    @abstractmethod
    def forward(
        self, x: Sequence[torch.Tensor], y: Sequence[torch.Tensor], shuffles: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Scores of one batch.

        Args:
            x: one side of the pairs, (S, B, x_dim) per problem.
            y: the other, (S, B, y_dim) per problem.
            shuffles: orders of B rows that make independent pairs, (S, B), for critics that cannot
                score all pairs at once; None takes several fixed shifts.

        Returns:
            Float32 scores of true pairs (E, B) and of independent ones (E, B, M).
        """


def multiply(inputs: Sequence[torch.Tensor], weights: nn.ParameterList) -> torch.Tensor:
    """First layers of all problems, (E, B, out)."""
    return torch.cat([torch.bmm(x, w) for x, w in zip(inputs, weights, strict=True)])


class SeparableCritics(Stack):
    """T(x, y) = <f(x), g(y)> / sqrt(K) + a(x) + b(y): scores all B x B pairs at the cost of B.

    f, g, a and b are one two-layer network per side plus a linear map past it, so that what is
    linear needs no hidden units.
    """

    def __init__(
        self, widths: Sequence[tuple[int, int]], seeds: Sequence[int], device: torch.device
    ) -> None:
        super().__init__(widths, seeds, device)
        out = EMBEDDING + 1
        start, hidden = SEPARABLE_HIDDEN + out, self.same(SEPARABLE_HIDDEN)
        self.x_first = self.first(0, start)
        self.x_bias = self.later(1, start, fan_in=[width[0] for width in widths])
        self.x_last = self.later(SEPARABLE_HIDDEN, out, fan_in=hidden)
        self.y_first = self.first(1, start)
        self.y_bias = self.later(1, start, fan_in=[width[1] for width in widths])
        self.y_last = self.later(SEPARABLE_HIDDEN, out, fan_in=hidden)

    def embed(
        self,
        inputs: Sequence[torch.Tensor],
        first: nn.ParameterList,
        bias: torch.Tensor,
        last: torch.Tensor,
    ) -> torch.Tensor:
        """Embedding and offset of one side, (E, B, K + 1)."""
        start = multiply(inputs, first) + bias
        hidden = torch.relu(start[..., :SEPARABLE_HIDDEN])
        return torch.baddbmm(start[..., SEPARABLE_HIDDEN:], hidden, last).float()

    def forward(
        self,
        x: Sequence[torch.Tensor],
        y: Sequence[torch.Tensor],
        shuffles: torch.Tensor | None = None,  # noqa: ARG002 - all pairs are scored
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """See ``Stack.forward``; M = B - 1."""
        f = self.embed(x, self.x_first, self.x_bias, self.x_last)
        g = self.embed(y, self.y_first, self.y_bias, self.y_last).transpose(1, 2)
        offset = f[..., :1] + g[:, :1]
        scores = torch.baddbmm(offset, f[..., 1:], g[:, 1:], alpha=1 / math.sqrt(EMBEDDING)).float()
        return scores.diagonal(dim1=1, dim2=2), off_diagonal(scores)


class JointCritics(Stack):
    """The public MIMIC code's critic: an MLP in-512-512-1 on the joined pair.

    The first linear layer is kept as two halves, one per side, which is the same function; true and
    shuffled pairs then share the costly product with the wide activation.
    """

    def __init__(
        self, widths: Sequence[tuple[int, int]], seeds: Sequence[int], device: torch.device
    ) -> None:
        super().__init__(widths, seeds, device)
        hidden = JOINT_HIDDEN
        self.x_first = self.first(0, hidden, joined=True)
        self.y_first = self.first(1, hidden, joined=True)
        self.bias = self.later(1, hidden, fan_in=[sum(width) for width in widths])
        self.middle = self.later(hidden, hidden, fan_in=self.same(hidden))
        self.middle_bias = self.later(1, hidden, fan_in=self.same(hidden))
        self.last = self.later(hidden, 1, fan_in=self.same(hidden))
        self.last_bias = self.later(1, 1, fan_in=self.same(hidden))

    def score(self, joined: torch.Tensor) -> torch.Tensor:
        """T of pairs whose first-layer halves were added, (E, B)."""
        hidden = torch.baddbmm(self.middle_bias, torch.relu(joined), self.middle)
        return torch.baddbmm(self.last_bias, torch.relu(hidden), self.last).squeeze(2).float()

    def forward(
        self,
        x: Sequence[torch.Tensor],
        y: Sequence[torch.Tensor],
        shuffles: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """See ``Stack.forward``; M = 1 with ``shuffles``, else up to 6."""
        x_half = multiply(x, self.x_first) + self.bias
        y_half = multiply(y, self.y_first)
        if shuffles is None:
            count = y_half.shape[1]
            shifts = sorted({1 + (count - 1) * k // SHIFTS for k in range(SHIFTS)})
            others = [y_half.roll(shift, 1) for shift in shifts]
        else:
            order = shuffles.repeat(len(y), 1).unsqueeze(2)  # (E, B, 1)
            others = [torch.take_along_dim(y_half, order, dim=1)]
        product = [self.score(x_half + other) for other in others]
        return self.score(x_half + y_half), torch.stack(product, dim=2)


class ConditionalGaussians(Stack):
    """log q(y|x) of a diagonal Gaussian whose mean and variance are a network of x (CLUB)."""

    def __init__(
        self, widths: Sequence[tuple[int, int]], seeds: Sequence[int], device: torch.device
    ) -> None:
        super().__init__(widths, seeds, device)
        hidden = CONDITIONAL_HIDDEN
        self.x_first = self.first(0, hidden)
        self.bias = self.later(1, hidden, fan_in=[width[0] for width in widths])
        self.last = nn.ParameterList()
        self.last_bias = nn.ParameterList()
        self.skip = nn.ParameterList()
        for draw, (x_dim, y_dim) in zip(self.draws, widths, strict=True):
            self.last.append(draw.uniform(hidden, 2 * y_dim, fan_in=hidden) / 10)
            self.last_bias.append(draw.uniform(1, 2 * y_dim, fan_in=hidden) / 10)
            self.skip.append(draw.uniform(x_dim, y_dim, fan_in=x_dim) / 10)

    def forward(
        self,
        x: Sequence[torch.Tensor],
        y: Sequence[torch.Tensor],
        shuffles: torch.Tensor | None = None,  # noqa: ARG002 - all pairs are scored
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """See ``Stack.forward``; M = B - 1."""
        hidden = torch.relu(multiply(x, self.x_first) + self.bias).chunk(len(x))
        scores = []
        for own, last, bias, skip, own_x, own_y in zip(
            hidden, self.last, self.last_bias, self.skip, x, y, strict=True
        ):
            mean, log_variance = torch.baddbmm(bias, own, last).float().chunk(2, dim=2)
            mean = mean + torch.bmm(own_x, skip).float()
            log_variance = 6 * torch.tanh(log_variance / 6)  # CLUB's code bounds it by tanh too
            inverse = (-log_variance).exp()
            target = own_y.float().transpose(1, 2)
            # (y - m)^2 / v of all pairs as three products instead of a (B, B, y_dim) array.
            square = torch.bmm(inverse, target.pow(2)) - 2 * torch.bmm(mean * inverse, target)
            constant = (mean.pow(2) * inverse + log_variance).sum(2, keepdim=True)
            normalizer = own_y.shape[2] * math.log(2 * math.pi)
            scores.append(-0.5 * (square + constant + normalizer))
        all_pairs = torch.cat(scores)
        return all_pairs.diagonal(dim1=1, dim2=2), off_diagonal(all_pairs)


CRITICS: dict[str, type[Stack]] = {
    "separable": SeparableCritics,
    "joint": JointCritics,
    "conditional": ConditionalGaussians,
}
