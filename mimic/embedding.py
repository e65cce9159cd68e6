"""Embeddings in the plane: clean and triggered inputs, before and after, in one shared fit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mimic.compute import threads_kept

Plane = dict[str, np.ndarray]
PCA_DIMENSIONS = 50
FIT_ROWS = 20_000
"""UMAP is fitted on at most so many vectors, drawn from all groups alike; the others are placed
into that fit. The fit itself cannot tell how far it is; placing can."""
TRANSFORM_ROWS = 4_000
FIT_SHARE = 0.6


def project(
    groups: Plane,
    *,
    method: str,
    neighbors: int = 15,
    seed: int = 0,
    fit_rows: int = FIT_ROWS,
    on_share: Callable[[float], object] | None = None,
) -> Plane:
    """Place groups of vectors in the plane by one fit over all of them, so positions compare.

    Args:
        groups: name to vectors (N, D).
        method: ``umap`` (McInnes et al., 2018) or ``pca``, which is always exact.
        neighbors: UMAP's neighbourhood size.
        seed: UMAP's random state, and the draw of the vectors it is fitted on.
        fit_rows: of more vectors than this UMAP is fitted on a sample and places the rest.
        on_share: told the share done, from 0 to 1, while the rest is placed.

    Returns:
        Name to positions, float32 (N, 2).
    """
    names = list(groups)
    stacked = np.concatenate([groups[name] for name in names]).astype(np.float32)
    if method == "pca":
        from sklearn.decomposition import PCA

        placed = PCA(2, random_state=seed).fit_transform(stacked)
    else:
        placed = place_by_umap(
            stacked, neighbors=neighbors, seed=seed, fit_rows=fit_rows, on_share=on_share
        )
    ends = np.cumsum([len(groups[name]) for name in names])
    parts = np.split(placed.astype(np.float32), ends[:-1])
    return dict(zip(names, parts, strict=True))


def place_by_umap(
    vectors: np.ndarray,
    *,
    neighbors: int,
    seed: int,
    fit_rows: int = FIT_ROWS,
    on_share: Callable[[float], object] | None = None,
) -> np.ndarray:
    """UMAP with a fixed seed on one thread, which makes it repeatable; (N, D) to (N, 2)."""
    import warnings

    from sklearn.decomposition import PCA

    if vectors.shape[1] > PCA_DIMENSIONS and len(vectors) > PCA_DIMENSIONS:
        vectors = PCA(PCA_DIMENSIONS, random_state=seed).fit_transform(vectors)
    order = np.random.default_rng(seed).permutation(len(vectors))
    fitted, rest = np.sort(order[:fit_rows]), np.sort(order[fit_rows:])
    placed = np.empty((len(vectors), 2), dtype=np.float32)
    with threads_kept(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # umap warns of optional parts and of its single thread.
        import umap

        model = umap.UMAP(n_neighbors=min(neighbors, len(fitted) - 1), random_state=seed, n_jobs=1)
        placed[fitted] = model.fit_transform(vectors[fitted])
        for start in range(0, len(rest), TRANSFORM_ROWS):
            if on_share is not None:
                on_share(FIT_SHARE + (1 - FIT_SHARE) * start / len(rest))
            part = rest[start : start + TRANSFORM_ROWS]
            placed[part] = model.transform(vectors[part])
    return placed


def decision_plane(logits: np.ndarray, labels: np.ndarray, *, target: int) -> np.ndarray:
    """Places by the classifier's own decision: how much it favours the target and the true class.

    Each encoder has a linear probe of its own in a feature space of its own, so directions of one
    (such as principal components of the probe's weights) mean nothing in the other. Margins of
    class scores mean the same for both: horizontally the target's score minus the best other
    score, vertically the true class's score minus the best other score. Zero is the decision
    boundary itself. A success of the attack lies at the right below zero, a correct answer above
    zero, and images of the target class lie on the diagonal.

    Args:
        logits: class scores (N, K), K at least 2, natural-log units.
        labels: true classes (N,).
        target: the attacker's class.

    Returns:
        float32 (N, 2).
    """
    targets = np.full(len(labels), target)
    return np.stack([margin(logits, targets), margin(logits, labels)], axis=1).astype(np.float32)


def margin(logits: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Score of one class per row minus the best score of any other class, (N,)."""
    rows = np.arange(len(logits))
    others = logits.astype(np.float64)
    own = others[rows, classes].copy()
    others[rows, classes] = -np.inf
    return np.asarray(own - others.max(axis=1))
