import math

import numpy as np
import pytest

from mimic.embedding import project
from mimic.neighborhood import separation


def vectors(count: int, dims: int, *, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, dims)).astype(np.float32)


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_pca_is_one_fit_over_all_groups() -> None:
    groups = {"a": vectors(20, 6, seed=0) * [4, 3, 1, 1, 1, 1], "b": vectors(11, 6, seed=1) + 2}
    placed = project(groups, method="pca")
    stacked = np.concatenate(list(groups.values())).astype(float)
    centred = stacked - stacked.mean(0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    expected = centred @ axes[:2].T
    ours = np.concatenate(list(placed.values()))
    for column in range(2):
        sign = np.sign((ours[:, column] * expected[:, column]).sum())
        np.testing.assert_allclose(sign * ours[:, column], expected[:, column], atol=1e-3)
    assert {k: (v.shape, v.dtype) for k, v in placed.items()} == {
        "a": ((20, 2), np.float32), "b": ((11, 2), np.float32),
    }  # fmt: skip


def test_equal_vectors_of_two_groups_get_equal_places() -> None:
    same = vectors(15, 4, seed=0)
    placed = project({"clean": same, "triggered": same.copy()}, method="pca")
    np.testing.assert_allclose(placed["clean"], placed["triggered"], atol=1e-6)


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


@pytest.mark.slow
def test_umap_repeats_by_seed() -> None:
    groups = {"a": vectors(20, 8, seed=0), "b": vectors(20, 8, seed=1)}
    first, again = (project(groups, method="umap", neighbors=5, seed=3) for _ in range(2))
    for name in groups:
        assert first[name].shape == (20, 2)
        assert np.isfinite(first[name]).all()
        np.testing.assert_array_equal(first[name], again[name])
