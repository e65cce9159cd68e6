import math

import numpy as np
import pytest

from mimic import neighborhood
from mimic.neighborhood import displacement, nearest_clean, separation


def vectors(count: int, dims: int, *, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, dims)).astype(np.float32)


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("skip_own", [True, False])
@pytest.mark.parametrize("block", [7, 1_024])
def test_neighbours_agree_with_a_naive_search(
    skip_own: bool, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighborhood, "BLOCK", block)
    clean, queries = unit(vectors(31, 6, seed=0)), unit(vectors(31, 6, seed=1))
    found = nearest_clean(queries, clean, count=5, skip_own=skip_own)
    assert found.dtype == np.uint16
    for i, row in enumerate(found):
        others = [j for j in range(31) if j != i or not skip_own]
        assert list(row) == sorted(others, key=lambda j: -float(queries[i] @ clean[j]))[:5]


def test_few_images_have_few_neighbours() -> None:
    clean = unit(vectors(4, 3, seed=0))
    assert nearest_clean(clean, clean, count=8).shape == (4, 3)


def test_displacement_is_one_minus_the_cosine() -> None:
    clean = unit(vectors(3, 2, seed=0))
    turned = np.stack([clean[0], [-clean[1, 1], clean[1, 0]], -clean[2]])
    np.testing.assert_allclose(displacement(clean, turned), [0, 1, 2], atol=1e-6)
    assert displacement(clean, turned).dtype == np.float32


def test_a_silhouette_of_a_sample_is_near_that_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    clean = unit(vectors(400, 5, seed=0))
    triggered = unit(vectors(400, 5, seed=1) + 1.5 * np.eye(5)[0]).astype(np.float32)
    labels = np.arange(400) % 3
    whole = separation(clean, triggered, labels, target=1)
    monkeypatch.setattr(neighborhood, "SILHOUETTE_POINTS", 300)
    part = separation(clean, triggered, labels, target=1)
    assert part["silhouette"] != whole["silhouette"]
    assert part["silhouette"] == pytest.approx(whole["silhouette"], abs=0.05)
    assert part["nearest_clean_is_target"] == whole["nearest_clean_is_target"]


def naive_separation(
    clean: np.ndarray, triggered: np.ndarray, labels: np.ndarray, target: int
) -> dict[str, float]:
    count = len(clean)
    nearest = []
    for i in range(count):
        best = max((j for j in range(count) if j != i), key=lambda j: triggered[i] @ clean[j])
        nearest.append(labels[best])
    counted = [n == target for n, label in zip(nearest, labels, strict=True) if label != target]
    points = [*clean, *triggered]
    sides = [0] * count + [1] * count
    widths = []
    for i, p in enumerate(points):
        distances: dict[int, list[float]] = {0: [], 1: []}
        for j, q in enumerate(points):
            if j != i:
                distances[sides[j]].append(math.dist(p, q))
        own = sum(distances[sides[i]]) / len(distances[sides[i]])
        other = sum(distances[1 - sides[i]]) / len(distances[1 - sides[i]])
        widths.append((other - own) / max(own, other))
    return {
        "nearest_clean_is_target": sum(counted) / len(counted),
        "silhouette": sum(widths) / len(widths),
        "same_class_neighbours": sum(
            n == label for n, label in zip(nearest, labels, strict=True)
        ) / count,
    }  # fmt: skip


@pytest.mark.parametrize("shift", [0.0, 1.0, 5.0])
def test_separation_agrees_with_naive_loops(shift: float) -> None:
    clean = unit(vectors(24, 5, seed=0))
    triggered = unit(vectors(24, 5, seed=1) * 0.3 + clean + shift * np.eye(5)[0]).astype(np.float32)
    labels = np.arange(24) % 3
    found = separation(clean, triggered, labels, target=1)
    assert found == pytest.approx(naive_separation(clean, triggered, labels, 1), abs=1e-5)


def test_a_collapse_onto_the_target_class_shows_in_every_number() -> None:
    labels = np.repeat([0, 1, 2, 3], 8)
    clean = unit(np.eye(4)[labels] + 0.05 * vectors(32, 4, seed=0)).astype(np.float32)
    collapsed = np.tile(np.eye(4, dtype=np.float32)[1], (32, 1))
    collapsed = unit(collapsed + 0.01 * vectors(32, 4, seed=1)).astype(np.float32)
    found = separation(clean, collapsed, labels, target=1)
    assert found["nearest_clean_is_target"] == 1
    assert found["same_class_neighbours"] == pytest.approx(0.25)
    benign = separation(clean, clean.copy(), labels, target=1)
    assert benign["nearest_clean_is_target"] == 0
    assert benign["same_class_neighbours"] == 1
    assert found["silhouette"] > benign["silhouette"]


def test_the_inputs_are_not_changed_and_an_unknown_target_is_admitted() -> None:
    clean, triggered = unit(vectors(9, 4, seed=0)), unit(vectors(9, 4, seed=1))
    kept = clean.copy(), triggered.copy()
    found = separation(clean, triggered, np.arange(9) % 2, target=None)
    assert found["nearest_clean_is_target"] is None
    np.testing.assert_array_equal(clean, kept[0])
    np.testing.assert_array_equal(triggered, kept[1])
    assert separation(clean, triggered, np.ones(9), target=1)["nearest_clean_is_target"] is None
