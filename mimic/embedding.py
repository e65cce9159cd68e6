"""Embeddings in the plane: clean and triggered inputs, before and after, in one shared fit."""

from __future__ import annotations

from typing import Any

import numpy as np

Plane = dict[str, np.ndarray]
PCA_DIMENSIONS = 50


def project(groups: Plane, *, method: str, neighbors: int = 15, seed: int = 0) -> Plane:
    """Place groups of vectors in the plane by one fit over all of them, so positions compare.

    Args:
        groups: name to vectors (N, D).
        method: ``umap`` (McInnes et al., 2018) or ``pca``.
        neighbors: UMAP's neighbourhood size.
        seed: UMAP's random state.

    Returns:
        Name to positions, float32 (N, 2).
    """
    names = list(groups)
    stacked = np.concatenate([groups[name] for name in names]).astype(np.float32)
    if method == "pca":
        from sklearn.decomposition import PCA

        placed = PCA(2, random_state=seed).fit_transform(stacked)
    else:
        placed = fit_umap(stacked, neighbors=neighbors, seed=seed)
    ends = np.cumsum([len(groups[name]) for name in names])
    parts = np.split(placed.astype(np.float32), ends[:-1])
    return dict(zip(names, parts, strict=True))


def fit_umap(vectors: np.ndarray, *, neighbors: int, seed: int) -> np.ndarray:
    """UMAP with a fixed seed on one thread, which makes it repeatable."""
    import warnings

    from sklearn.decomposition import PCA

    if vectors.shape[1] > PCA_DIMENSIONS and len(vectors) > PCA_DIMENSIONS:
        vectors = PCA(PCA_DIMENSIONS, random_state=seed).fit_transform(vectors)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # umap warns of optional parts and of its single thread.
        import umap

        model = umap.UMAP(n_neighbors=min(neighbors, len(vectors) - 1), random_state=seed, n_jobs=1)
        return np.asarray(model.fit_transform(vectors))


def separation(
    clean: np.ndarray, triggered: np.ndarray, labels: np.ndarray | None, *, target: int | None
) -> dict[str, Any]:
    """Numbers that say how far the trigger moves images, measured on the full vectors.

    Args:
        clean: unit vectors (N, D) of clean images.
        triggered: unit vectors (N, D) of the same images with the trigger.
        labels: true classes (N,); without them only the silhouette is known.
        target: the attacker's class, or None.

    Returns:
        ``nearest_clean_is_target``: share of triggered images of other classes whose nearest clean
        neighbour is of the target class (0.5 would mean half are taken for it).
        ``silhouette``: of triggered against clean points (Rousseeuw, 1987); 0 when they mix.
        ``same_class_neighbours``: share of triggered images whose nearest clean neighbour, itself
        left out, is of their own class.
    """
    from sklearn.metrics import silhouette_score

    side = np.r_[np.zeros(len(clean)), np.ones(len(triggered))]
    silhouette = float(silhouette_score(np.concatenate([clean, triggered]), side))
    if labels is None:
        return {
            "nearest_clean_is_target": None,
            "silhouette": silhouette,
            "same_class_neighbours": None,
        }
    similarity = triggered @ clean.T  # (N, N)
    np.fill_diagonal(similarity, -np.inf)
    nearest = labels[similarity.argmax(1)]
    others = labels != target
    known = target is not None and others.any()
    return {
        "nearest_clean_is_target": float((nearest[others] == target).mean()) if known else None,
        "silhouette": silhouette,
        "same_class_neighbours": float((nearest == labels).mean()),
    }
