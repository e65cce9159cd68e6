import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from torch.nn import functional

from mimic.evaluation import LinearProbe, MLPProbe, knn_predict
from mimic.evaluation.probe import KNNProbe, knn_votes


def clusters(
    count: int, *, seed: int = 0, spread: float = 0.8
) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % 3
    centres = torch.eye(3, 6)
    noise = spread * torch.randn(count, 6, generator=random)
    return functional.normalize(centres[labels] + noise, dim=1), labels


def test_the_linear_probe_solves_scikit_learns_problem() -> None:
    features, labels = clusters(240)
    queries, _ = clusters(300, seed=1)
    probe = LinearProbe(features, labels, classes=3)
    reference = LogisticRegression(C=10, tol=1e-8, max_iter=5000)
    reference.fit(features.numpy(), labels.numpy())
    np.testing.assert_allclose(probe.weight.T.numpy(), reference.coef_, atol=0.02)
    bias = probe.bias - probe.bias.mean()  # The bias is free up to a constant.
    np.testing.assert_allclose(
        bias.numpy(), reference.intercept_ - reference.intercept_.mean(), atol=0.02
    )
    ours = probe.logits(queries)
    np.testing.assert_allclose(
        ours.softmax(1).numpy(), reference.predict_proba(queries.numpy()), atol=0.005
    )
    agreed = (ours.argmax(1).numpy() == reference.predict(queries.numpy())).mean()
    assert agreed >= 0.99


def test_a_class_without_examples_is_never_predicted() -> None:
    features, labels = clusters(60)
    probe = LinearProbe(features, labels, classes=5)
    assert set(probe.logits(features).argmax(1).tolist()) <= {0, 1, 2}


def test_linear_probes_repeat_exactly_and_work_without_gradients() -> None:
    features, labels = clusters(60)
    first = LinearProbe(features, labels, classes=3)
    with torch.no_grad():
        second = LinearProbe(features, labels, classes=3)
    assert torch.equal(first.weight, second.weight)
    assert torch.equal(first.bias, second.bias)
    assert not first.weight.requires_grad


def naive_votes(
    query: list[float], stored: list[list[float]], labels: list[int], neighbors: int, t: float
) -> list[float]:
    cosines = [sum(a * b for a, b in zip(query, row, strict=True)) for row in stored]
    nearest = sorted(range(len(stored)), key=lambda i: -cosines[i])[:neighbors]
    votes = [0.0, 0.0, 0.0]
    for i in nearest:
        votes[labels[i]] += math.exp(cosines[i] / t)
    return [vote / sum(votes) for vote in votes]


@pytest.mark.parametrize("stored", [30, 260])
def test_nearest_neighbours_vote_as_in_a_naive_loop(stored: int) -> None:
    features, labels = clusters(stored)
    queries, _ = clusters(40, seed=1)
    expected = [
        naive_votes(query, features.tolist(), labels.tolist(), 200, 0.5)
        for query in queries.tolist()
    ]
    votes = KNNProbe(features, labels, classes=3).logits(queries).exp()
    torch.testing.assert_close(votes, torch.tensor(expected), atol=1e-5, rtol=0)
    predicted = knn_predict(queries, features, labels, classes=3)
    assert predicted.tolist() == [int(np.argmax(row)) for row in expected]


def test_neighbours_and_temperature_are_heeded() -> None:
    features, labels = clusters(50)
    queries, _ = clusters(10, seed=1)
    votes = knn_votes(queries, features, labels, classes=3, neighbors=5, temperature=0.1)
    for query, own in zip(queries.tolist(), votes, strict=True):
        expected = naive_votes(query, features.tolist(), labels.tolist(), 5, 0.1)
        assert own.tolist() == pytest.approx(expected, abs=1e-5)


def test_the_mlp_probe_repeats_by_seed_and_leaves_global_randomness_alone() -> None:
    features, labels = clusters(128, spread=0.2)
    torch.manual_seed(11)
    before = torch.get_rng_state()
    first = MLPProbe(features, labels, classes=3, epochs=6, seed=3)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(12)
    second = MLPProbe(features, labels, classes=3, epochs=6, seed=3)
    third = MLPProbe(features, labels, classes=3, epochs=6, seed=4)
    assert torch.equal(first.logits(features), second.logits(features))
    assert not torch.equal(first.logits(features), third.logits(features))


def test_the_mlp_probe_learns_separable_classes() -> None:
    features, labels = clusters(128, spread=0.2)
    probe = MLPProbe(features, labels, classes=3, epochs=30)
    assert (probe.logits(features).argmax(1) == labels).float().mean() > 0.95
    shapes = [tuple(p.shape) for p in probe.network.parameters() if p.ndim == 2]
    assert shapes == [(512, 6), (256, 512), (3, 256)]
