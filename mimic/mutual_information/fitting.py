"""Fitting the critics of many problems together, and scoring them on pairs they never saw."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from mimic.compute import autocast, generator, one_thread
from mimic.finiteness import non_finite
from mimic.mutual_information.bounds import log_mean_exp, mine_objective
from mimic.mutual_information.critics import CRITICS
from mimic.mutual_information.estimators import Estimator
from mimic.training import batches

MOVING_RATE = 0.1
LARGEST_BLOCK = 1_024
MEAN_OF_LAST = 10


@dataclass(frozen=True)
class Split:
    """Which rows one critic is fitted on and which it is scored on.

    Args:
        fitted: row numbers, (N,).
        halves: row numbers of the scored pairs in two parts, at least 2 each.
    """

    fitted: torch.Tensor
    halves: tuple[torch.Tensor, torch.Tensor]

    @classmethod
    def rotating(cls, count: int, held_out: float, number: int, seed: int) -> list[Split]:
        """One split per critic; each holds out another part of ``count`` independent rows."""
        order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
        kept = min(count - 2, max(4, round(held_out * count)))
        splits = []
        for turn in range(number):
            rolled = order.roll(-turn * kept)
            first, second = rolled[: kept // 2], rolled[kept // 2 : kept]
            splits.append(cls(rolled[kept:], (first, second)))
        return splits


@dataclass(frozen=True)
class EpochRecord:
    """What one epoch gave, every value (problems, critics) in nats.

    Args:
        fit: mean over the epoch's batches of the estimate on fitting pairs.
        scores: the estimate on both held-out halves, (2, problems, critics).
        criteria: the objective on both held-out halves, which chooses the epoch.
    """

    fit: torch.Tensor
    scores: torch.Tensor
    criteria: torch.Tensor

    @property
    def held_out(self) -> torch.Tensor:
        """The estimate on all held-out pairs."""
        return self.scores.mean(0)


class CriticFit:
    """Fits the critics of all problems in one loop: one batched product and one optimiser step.

    Critics never mix: each sees the pairs, orders and initial weights of its own seed, so a stack
    gives what its critics give one by one.

    Args:
        problems: (x, y) of each, (N, x_dim) and (N, y_dim); N is the same for all.
        splits: one per critic.
        estimator: what to ascend and what to score; it has to have a critic.
        seeds: one per critic.
        epochs: passes over the fitting pairs.
        batch_size: pairs per update and critic.
        learning_rate: of Adam.
        weight_decay: of Adam; the fewer distinct images, the more keeps critics from memorising.
        precision: number format of the matrix products; bounds are float32.
    """

    def __init__(
        self,
        problems: Sequence[tuple[torch.Tensor, torch.Tensor]],
        splits: Sequence[Split],
        estimator: Estimator,
        *,
        seeds: Sequence[int],
        epochs: int,
        batch_size: int = 128,
        learning_rate: float = 1e-3,
        weight_decay: float = 1e-2,
        precision: torch.dtype = torch.float32,
    ) -> None:
        self.problems, self.estimator, self.precision = problems, estimator, precision
        self.epochs, self.batch_size, self.seeds = epochs, batch_size, seeds
        self.device = problems[0][0].device
        widths = [(x.shape[1], y.shape[1]) for x, y in problems]
        self.critics = CRITICS[estimator.critic](widths, seeds, self.device)
        self.optimizer = torch.optim.Adam(
            self.critics.parameters(), lr=learning_rate,
            weight_decay=weight_decay,
            fused=self.device.type in ("cpu", "cuda"),
        )  # fmt: skip
        # Orders are drawn on the host: the same on every device, and no synchronisation.
        self.streams = [generator(torch.device("cpu"), seed) for seed in seeds]
        count = min(len(split.fitted) for split in splits)
        self.fitted = [split.fitted.cpu() for split in splits]
        self.per_epoch = count
        self.halves = [self.blocks([split.halves[part] for split in splits]) for part in (0, 1)]
        self.log_denominator: torch.Tensor | None = None
        self.history: list[EpochRecord] = []

    def blocks(self, rows: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Held-out rows of all critics, (S, block) each; large parts in blocks, to bound memory."""
        count = min(map(len, rows))
        stacked = torch.stack([part[:count].cpu() for part in rows]).to(self.device)
        return list(stacked.tensor_split(-(-count // LARGEST_BLOCK), dim=1))

    def gather(self, rows: torch.Tensor) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """Both sides of the pairs in rows (S, B), problem by problem."""
        return [x[rows] for x, _ in self.problems], [y[rows] for _, y in self.problems]

    def __iter__(self) -> Iterator[EpochRecord]:
        """One epoch per step."""
        for _ in range(self.epochs):
            with one_thread(self.device):
                record = self.epoch()
            if not all(bool(part.isfinite().all()) for part in (record.fit, record.scores)):
                raise non_finite(len(self.history) + 1, "critic")
            self.history.append(record)
            yield record

    def epoch(self) -> EpochRecord:
        """One pass over the fitting pairs, then the scores of what it gave."""
        orders, shuffles = [], []
        for rows, stream in zip(self.fitted, self.streams, strict=True):
            drawn = batches(len(rows), min(self.batch_size, self.per_epoch), stream)
            drawn = drawn[: max(1, self.per_epoch // self.batch_size)]
            orders.append(torch.stack([rows[batch] for batch in drawn]))
            size = orders[-1].shape[1]
            shuffles.append(torch.stack([torch.randperm(size, generator=stream) for _ in drawn]))
        order = torch.stack(orders, dim=1).to(self.device)  # (batches, S, B)
        shuffle = torch.stack(shuffles, dim=1).to(self.device)
        total = torch.zeros(len(self.problems) * len(self.seeds), device=self.device)
        for rows, mixed in zip(order, shuffle, strict=True):
            total += self.update(rows, mixed)
        scored = [self.score(half) for half in self.halves]
        return EpochRecord(
            self.shaped(total / len(order)),
            torch.stack([self.shaped(score) for score, _ in scored]),
            torch.stack([self.shaped(criterion) for _, criterion in scored]),
        )

    def update(self, rows: torch.Tensor, shuffles: torch.Tensor) -> torch.Tensor:
        """One step of every critic; the estimate on the batch, (E,)."""
        with autocast(self.device, self.precision):
            joint, product = self.critics(*self.gather(rows), shuffles)
        objective = self.objective(joint, product)
        self.optimizer.zero_grad()
        (-objective.sum()).backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        with torch.no_grad():
            return self.estimator.bound(joint, product)

    def objective(self, joint: torch.Tensor, product: torch.Tensor) -> torch.Tensor:
        """What the step ascends, (E,)."""
        if not self.estimator.moving_average:
            return self.estimator.objective(joint, product)
        now = log_mean_exp(product.detach())
        if self.log_denominator is None:
            self.log_denominator = now
        else:
            old, new = math.log(1 - MOVING_RATE), math.log(MOVING_RATE)
            self.log_denominator = torch.logaddexp(self.log_denominator + old, now + new)
        return mine_objective(joint, product, self.log_denominator)

    @torch.no_grad()
    def score(self, blocks: Sequence[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
        """The estimate and the objective on held-out rows, (E,) each."""
        results = []
        for rows in blocks:
            with autocast(self.device, self.precision):
                joint, product = self.critics(*self.gather(rows), None)
            found = (self.estimator.bound(joint, product), self.estimator.objective(joint, product))
            results.append(torch.stack(found))
        value = torch.stack(results).mean(0)
        return value[0], value[1]

    def shaped(self, values: torch.Tensor) -> torch.Tensor:
        """(E,) as (problems, critics), on the host."""
        return values.reshape(len(self.problems), len(self.seeds)).cpu()

    @property
    def candidates(self) -> int:
        """Pairs each true pair is compared with when scored, itself included."""
        return min(block.shape[1] for half in self.halves for block in half)

    def estimates(self) -> torch.Tensor:
        """Nats per problem and critic, at least 0, (problems, critics).

        A critic that trains too long overfits. The epoch is therefore chosen on one held-out half
        and scored on the other, both ways, and averaged, so the choice does not flatter the score.
        """
        scores = torch.stack([record.scores for record in self.history])  # (epochs, 2, P, S)
        chosen = torch.stack([record.criteria for record in self.history]).argmax(0)
        on_b = scores[:, 1].gather(0, chosen[:1])[0]
        on_a = scores[:, 0].gather(0, chosen[1:])[0]
        return ((on_a + on_b) / 2).clamp_min(0)

    def last_fitted(self) -> torch.Tensor:
        """The mean of the last ten epochs on the fitting pairs, negative ones counted as 0.

        This is how the public MIMIC code reads its critics.
        """
        fit = torch.stack([record.fit for record in self.history])
        return fit.clamp_min(0)[-MEAN_OF_LAST:].mean(0)
