"""Downstream classifiers on frozen features: linear, MLP and kNN.

All take L2-normalised features, as BadEncoder's evaluation does.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import nn
from torch.nn import functional

from mimic.compute import generator
from mimic.training import batches

MOST_STEPS = 2_000
KNN_NEIGHBORS = 200
KNN_TEMPERATURE = 0.5


class Probe(Protocol):
    """A fitted classifier of features."""

    def logits(self, features: torch.Tensor) -> torch.Tensor:
        """Class scores (N, K) of unit features (N, D)."""


class LinearProbe:
    """Multinomial logistic regression, the same problem as scikit-learn's ``LogisticRegression``.

    Minimises ``regularisation * sum of cross entropies + ||W||^2 / 2`` by L-BFGS in full batches,
    so it has no random part and runs on any device. The tolerances end it, not the number of steps:
    43 classes took 311.

    Args:
        features: unit features (N, D).
        labels: int64 (N,).
        classes: number of classes K.
        regularisation: scikit-learn's C.
    """

    def __init__(
        self,
        features: torch.Tensor,
        labels: torch.Tensor,
        *,
        classes: int,
        regularisation: float = 10.0,
    ) -> None:
        x = features.float()
        weight = torch.zeros(x.shape[1], classes, device=x.device, requires_grad=True)
        bias = torch.zeros(classes, device=x.device, requires_grad=True)
        solver = torch.optim.LBFGS(
            [weight, bias], max_iter=MOST_STEPS, history_size=10, tolerance_grad=1e-5,
            tolerance_change=1e-7, line_search_fn="strong_wolfe",
        )  # fmt: skip

        def loss() -> torch.Tensor:
            solver.zero_grad()
            error = functional.cross_entropy(x @ weight + bias, labels)
            value = error + weight.pow(2).sum() / (2 * regularisation * len(x))
            value.backward()  # type: ignore[no-untyped-call]
            return value

        with torch.enable_grad():
            solver.step(loss)  # type: ignore[no-untyped-call]
        self.weight, self.bias = weight.detach(), bias.detach()

    def logits(self, features: torch.Tensor) -> torch.Tensor:
        """Class scores (N, K) of unit features (N, D)."""
        return features.float() @ self.weight + self.bias


class MLPProbe:
    """BadEncoder's downstream classifier: D-512-256-K, dropout 0.5, Adam 1e-4, batch 64.

    Args:
        features: unit features (N, D).
        labels: int64 (N,).
        classes: number of classes K.
        epochs: passes over the features; BadEncoder's logs use 500.
        seed: initial weights, order and dropout.
    """

    def __init__(
        self,
        features: torch.Tensor,
        labels: torch.Tensor,
        *,
        classes: int,
        epochs: int = 100,
        seed: int = 0,
    ) -> None:
        devices = [features.device] if features.device.type == "cuda" else []
        with torch.random.fork_rng(devices=devices), torch.enable_grad():
            torch.manual_seed(seed)
            self.network = nn.Sequential(
                nn.Linear(features.shape[1], 512), nn.ReLU(), nn.Dropout(0.5),
                nn.Linear(512, 256), nn.ReLU(), nn.Dropout(0.5), nn.Linear(256, classes),
            ).to(features.device)  # fmt: skip
            optimizer = torch.optim.Adam(self.network.parameters(), lr=1e-4)
            random = generator(features.device, seed)
            for _ in range(epochs):
                for batch in batches(len(features), 64, random):
                    optimizer.zero_grad()
                    output = self.network(features[batch])
                    functional.cross_entropy(output, labels[batch]).backward()  # type: ignore[no-untyped-call]
                    optimizer.step()
        self.network.eval()

    @torch.no_grad()
    def logits(self, features: torch.Tensor) -> torch.Tensor:
        """Class scores (N, K) of unit features (N, D)."""
        scores: torch.Tensor = self.network(features)
        return scores


class KNNProbe:
    """A weighted vote of the nearest stored features, see ``knn_predict``.

    Args:
        features: unit features (N, D).
        labels: int64 (N,).
        classes: number of classes K.
    """

    def __init__(self, features: torch.Tensor, labels: torch.Tensor, *, classes: int) -> None:
        self.features, self.labels, self.classes = features, labels, classes

    def logits(self, features: torch.Tensor) -> torch.Tensor:
        """Log of the vote shares (N, K)."""
        return knn_votes(features, self.features, self.labels, classes=self.classes).log()


def knn_votes(
    queries: torch.Tensor,
    features: torch.Tensor,
    labels: torch.Tensor,
    *,
    classes: int,
    neighbors: int = KNN_NEIGHBORS,
    temperature: float = KNN_TEMPERATURE,
) -> torch.Tensor:
    """Vote shares (M, K) of the nearest neighbours by cosine, each weighing exp(cos / T).

    Wu et al., "Unsupervised Feature Learning via Non-Parametric Instance Discrimination", 2018.

    Args:
        queries: unit features (M, D).
        features: stored unit features (N, D).
        labels: their classes, int64 (N,).
        classes: number of classes K.
        neighbors: how many vote, at most N.
        temperature: T above.
    """
    votes = []
    for part in torch.split(queries, 1_024):
        similarity, index = (part @ features.T).topk(min(neighbors, len(features)), dim=1)
        one_hot = functional.one_hot(labels[index], classes)  # (M, n, K)
        votes.append(((similarity / temperature).exp().unsqueeze(2) * one_hot).sum(1))
    total = torch.cat(votes)
    return total / total.sum(1, keepdim=True)


def knn_predict(
    queries: torch.Tensor, features: torch.Tensor, labels: torch.Tensor, *, classes: int
) -> torch.Tensor:
    """Predicted classes (M,), see ``knn_votes``."""
    return knn_votes(queries, features, labels, classes=classes).argmax(1)
