import math
import subprocess
import sys

import numpy as np
import pytest

from mimic.embedding import decision_plane, project


def vectors(count: int, dims: int, *, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, dims)).astype(np.float32)


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


def test_the_plane_says_what_the_classifier_decides() -> None:
    logits = vectors(60, 4, seed=0) * 3
    labels = np.random.default_rng(1).integers(0, 4, 60)
    placed = decision_plane(logits, labels, target=2)
    assert (placed.shape, placed.dtype) == ((60, 2), np.float32)
    np.testing.assert_array_equal(placed[:, 0] > 0, logits.argmax(1) == 2)
    np.testing.assert_array_equal(placed[:, 1] > 0, logits.argmax(1) == labels)
    np.testing.assert_array_equal(placed[labels == 2, 0], placed[labels == 2, 1])
    assert not ((placed > 0).all(1) & (labels != 2)).any()


def test_the_planes_margins_are_log_odds_of_the_best_other_class() -> None:
    logits = vectors(30, 5, seed=2)
    labels = np.arange(30) % 5
    shifted = logits + vectors(30, 1, seed=3) * 10  # The same classifier in other words.
    placed = decision_plane(logits, labels, target=0)
    np.testing.assert_allclose(placed, decision_plane(shifted, labels, target=0), atol=1e-5)
    for row, label, (x, y) in zip(logits, labels, placed, strict=True):
        share = np.exp(row) / np.exp(row).sum()
        for value, own in ((x, 0), (y, label)):
            best = max(share[k] for k in range(5) if k != own)
            assert value == pytest.approx(math.log(share[own] / best), abs=1e-5)


@pytest.mark.slow
def test_umap_fitted_on_a_sample_places_the_rest_beside_its_own_group() -> None:
    centres = 12 * np.eye(6, dtype=np.float32)[:3]
    groups = {str(k): vectors(120, 6, seed=k) + centre for k, centre in enumerate(centres)}
    shares: list[float] = []
    first, again = (
        project(groups, method="umap", seed=1, fit_rows=150, on_share=shares.append)
        for _ in range(2)
    )
    middles = np.stack([np.median(first[name], axis=0) for name in groups])
    for position, name in enumerate(groups):
        np.testing.assert_array_equal(first[name], again[name])
        distances = np.linalg.norm(first[name][:, None] - middles, axis=2)
        assert (distances.argmin(1) == position).mean() > 0.95
    assert shares
    assert all(0 < share < 1 for share in shares)


@pytest.mark.slow
def test_umap_repeats_by_seed() -> None:
    groups = {"a": vectors(20, 8, seed=0), "b": vectors(20, 8, seed=1)}
    first, again = (project(groups, method="umap", neighbors=5, seed=3) for _ in range(2))
    for name in groups:
        assert first[name].shape == (20, 2)
        assert np.isfinite(first[name]).all()
        np.testing.assert_array_equal(first[name], again[name])


@pytest.mark.slow
def test_umap_leaves_torch_its_number_of_threads() -> None:
    # Torch loaded and used first, as in a job: numba then shares its OpenMP library and threads.
    script = """
import torch

torch.set_num_threads(1)
torch.ones(8).sum().item(), torch.get_num_threads()
import numpy as np
from mimic.embedding import project

vectors = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
project({"a": vectors}, method="umap", neighbors=5, seed=0, fit_rows=40)
print(torch.get_num_threads())
"""
    told = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=300
    )
    assert told.stdout.strip() == "1"
