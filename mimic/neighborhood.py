"""What a trigger does to an image's surroundings, measured on full vectors, not in the plane."""

from __future__ import annotations

from typing import Any

import numpy as np

NEIGHBORS = 8
BLOCK = 1_024
SILHOUETTE_POINTS = 4_000
"""Silhouettes compare all pairs of points; of larger sets a seeded sample stands for all."""


def nearest_clean(
    queries: np.ndarray, clean: np.ndarray, *, count: int = NEIGHBORS, skip_own: bool = True
) -> np.ndarray:
    """The clean images most like each query, nearest first, by cosine.

    Args:
        queries: unit vectors (N, D); with ``skip_own``, of the same N images as ``clean``.
        clean: unit vectors (M, D).
        count: neighbours per query, at most as many as there are.
        skip_own: leave out the clean image at the query's own position, which says nothing.

    Returns:
        Positions among ``clean``, (N, count), uint16 where they fit and uint32 otherwise.
    """
    kept = min(count, len(clean) - int(skip_own))
    found = np.empty((len(queries), kept), dtype=np.uint16 if len(clean) <= 2**16 else np.uint32)
    for start in range(0, len(queries), BLOCK):
        similarity = queries[start : start + BLOCK] @ clean.T  # (block, M)
        rows = np.arange(len(similarity))
        if skip_own:
            similarity[rows, start + rows] = -np.inf
        near = np.argpartition(-similarity, kept - 1, axis=1)[:, :kept]
        order = np.argsort(-np.take_along_axis(similarity, near, axis=1), axis=1, kind="stable")
        found[start : start + BLOCK] = np.take_along_axis(near, order, axis=1)
    return found


def displacement(clean: np.ndarray, triggered: np.ndarray) -> np.ndarray:
    """How far the trigger moves each image: one minus the cosine of its two vectors.

    Args:
        clean: unit vectors (N, D).
        triggered: unit vectors (N, D) of the same images with the trigger.

    Returns:
        float32 (N,), from 0 (not at all) over 1 (nothing in common) to 2 (opposite).
    """
    moved: np.ndarray = np.clip(1 - (clean * triggered).sum(axis=1), 0, 2)
    return moved.astype(np.float32)


def separation(
    clean: np.ndarray, triggered: np.ndarray, labels: np.ndarray, *, target: int | None
) -> dict[str, Any]:
    """Numbers that say how far the trigger moves images.

    Args:
        clean: unit vectors (N, D) of clean images.
        triggered: unit vectors (N, D) of the same images with the trigger.
        labels: true classes (N,), -1 where unknown.
        target: the attacker's class, or None.

    Returns:
        ``nearest_clean_is_target``: share of triggered images of other classes whose nearest clean
        neighbour is of the target class (0.5 would mean half are taken for it).
        ``silhouette``: of triggered against clean points (Rousseeuw, 1987); 0 when they mix.
        ``same_class_neighbours``: share of triggered images whose nearest clean neighbour, itself
        left out, is of their own class. Without labels only the silhouette is known.
    """
    from sklearn.metrics import silhouette_score

    nearest = labels[nearest_clean(triggered, clean, count=1)[:, 0]]
    others = labels != target
    side = np.r_[np.zeros(len(clean)), np.ones(len(triggered))]
    points = np.concatenate([clean, triggered])
    if len(points) > SILHOUETTE_POINTS:
        chosen = np.random.default_rng(0).permutation(len(points))[:SILHOUETTE_POINTS]
        points, side = points[chosen], side[chosen]
    known_labels = bool((labels >= 0).all())
    known = known_labels and target is not None and others.any()
    return {
        "nearest_clean_is_target": float((nearest[others] == target).mean()) if known else None,
        "silhouette": float(silhouette_score(points, side)),
        "same_class_neighbours": float((nearest == labels).mean()) if known_labels else None,
    }
