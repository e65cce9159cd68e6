"""Cheap numbers per layer on the same activations, to cross-check a curve of information."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from mimic.agreement import linear_cka
from mimic.datasets import ImageSet
from mimic.encoder import Encoder
from mimic.evaluation import LinearProbe, extract_activations
from mimic.intervals import Interval, jackknife_interval, share_interval
from mimic.mutual_information.layerwise import Measurement
from mimic.mutual_information.pairs import PairSource
from mimic.preprocessing import Preprocessing

REGULARISATION = 1.0
ROWS = 500
"""Images the numbers are computed on, at most; more change them little and cost much."""
GROUPS = 12
"""Parts of the images that are left out in turn, to learn how far a number depends on them."""


@dataclass(frozen=True)
class Companion:
    """What one layer shows beside its information.

    Args:
        layer: its name.
        cka: see ``mimic.agreement.linear_cka``, with the output features.
        effective_rank: see ``effective_rank``.
        probe_accuracy: see ``probe_accuracy``; None without labels.
        separability: see ``separability``; None without a trigger.
        probe_images: images that the probe was scored on; None without labels.
        cka_interval: 95 % interval over the images; None where they are too few to part.
        effective_rank_interval: the same of the effective rank.
        separability_interval: 95 % interval over the images it was scored on.
    """

    layer: str
    cka: float
    effective_rank: float
    probe_accuracy: float | None
    separability: float | None
    probe_images: int | None
    cka_interval: Interval | None = None
    effective_rank_interval: Interval | None = None
    separability_interval: Interval | None = None


def cross_check(
    encoder: Encoder,
    preprocessing: Preprocessing,
    source: PairSource,
    settings: Measurement,
    *,
    labelled: tuple[ImageSet, ImageSet] | None,
    device: torch.device,
) -> list[Companion]:
    """The companions of every layer, on activations pooled and projected as for information.

    Args:
        encoder: the network.
        preprocessing: what its inputs need.
        source: the images information is measured on.
        settings: how layers are pooled.
        labelled: labelled images to fit a probe on and to score it on, or None.
        device: where to compute.
    """

    def extract(images: np.ndarray) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        return extract_activations(
            encoder, images, preprocessing, layers=settings.layers, device=device,
            pool=settings.pool, projection=settings.projection, seed=settings.seed,
        )  # fmt: skip

    count = len(source.clean)
    rows = np.unique(np.linspace(0, count - 1, min(ROWS, count)).astype(int))
    clean, features = extract(source.clean[rows])
    triggered = None if source.stamped is None else extract(source.stamped[rows])[0]
    fitted = torch.from_numpy(np.flatnonzero(source.fitted[rows])).to(device)
    scored = torch.from_numpy(np.flatnonzero(~source.fitted[rows])).to(device)
    accuracy: dict[str, float] = {}
    if labelled is not None:
        accuracy = probe_layers([extract(part.images)[0] for part in labelled], labelled, device)
    unit = functional.normalize(features, dim=1)
    both = len(fitted) > 1 and len(scored) > 1
    origin = np.arange(count) if source.origin is None else source.origin
    kept = [torch.from_numpy(part).to(device) for part in without_each_group(origin[rows])]
    tested = len(np.unique(origin[rows][~source.fitted[rows]]))
    found = []
    for layer in settings.layers:
        x = clean[layer]
        products = x.double() @ x.double().T
        cka, rank = float(linear_cka(x, unit)), rank_of_products(products)
        apart = None
        if triggered is not None and both:
            apart = separability(x, triggered[layer], fitted, scored)
        found.append(
            Companion(
                layer,
                cka,
                rank,
                accuracy.get(layer),
                apart,
                len(labelled[1].images) if labelled is not None else None,
                over_images(cka, [float(linear_cka(x[part], unit[part])) for part in kept]),
                over_images(rank, [rank_of_products(products[part][:, part]) for part in kept]),
                None if apart is None else share_interval(apart, tested),
            )
        )
    return found


def without_each_group(origin: np.ndarray) -> list[np.ndarray]:
    """The rows that are left when a group of images is left out, for each of ``GROUPS`` groups.

    Args:
        origin: which image each row is a view of. All views of an image are left out together.

    Returns:
        None of them where there are fewer images than groups.
    """
    images = np.unique(origin)
    if len(images) < GROUPS:
        return []
    group = np.random.default_rng(0).permutation(len(images)) % GROUPS
    own = group[np.searchsorted(images, origin)]
    return [np.flatnonzero(own != left_out) for left_out in range(GROUPS)]


def over_images(value: float, left_out: list[float]) -> Interval | None:
    """95 % interval of a number over the images it is computed on.

    Args:
        value: the number on all of them.
        left_out: the number without each group of images; nothing where there are no groups.
    """
    return jackknife_interval(value, left_out) if left_out else None


def probe_layers(
    activations: list[dict[str, torch.Tensor]],
    labelled: tuple[ImageSet, ImageSet],
    device: torch.device,
) -> dict[str, float]:
    """Probe accuracy of every layer."""
    train, test = (torch.from_numpy(part.need_classes()).long().to(device) for part in labelled)
    classes = int(max(train.max(), test.max())) + 1
    return {
        layer: probe_accuracy(values, train, activations[1][layer], test, classes=classes)
        for layer, values in activations[0].items()
    }


def effective_rank(x: torch.Tensor) -> float:
    """How many directions the rows of x (N, D) really use, 1 to min(N, D).

    The exponential of the entropy of the normalised singular values (Roy and Vetterli, "The
    Effective Rank", EUSIPCO 2007), of centred columns. 0 where nothing varies.
    """
    return rank_of_products(x.double() @ x.double().T)


def rank_of_products(products: torch.Tensor) -> float:
    """The effective rank of rows whose products with each other (N, N) are given.

    Their eigenvalues are the squares of the singular values, and come many times faster where rows
    are long.
    """
    rows = products - products.mean(0)
    centred = rows - rows.mean(1, keepdim=True)
    singular = torch.linalg.eigvalsh(centred).clamp_min(0).sqrt()
    total = float(singular.sum())
    if total < 1e-12:
        return 0.0
    return float(torch.special.entr(singular / total).sum().exp())


def area_under_curve(negative: torch.Tensor, positive: torch.Tensor) -> float:
    """Chance that a positive score exceeds a negative one, ties counted half (Mann-Whitney)."""
    difference = positive.unsqueeze(1) - negative.unsqueeze(0)
    return float((difference.sign() + 1).mean() / 2)


def separability(
    clean: torch.Tensor, triggered: torch.Tensor, fitted: torch.Tensor, scored: torch.Tensor
) -> float:
    """Area under the ROC curve of a linear classifier of triggered against clean activations.

    Args:
        clean: activations of clean images, (N, D).
        triggered: of the same images with the trigger on, (N, D).
        fitted: rows the classifier is fitted on.
        scored: rows of other images it is scored on.
    """
    x = torch.cat([clean[fitted], triggered[fitted]])
    mean, scale = x.mean(0), x.std(0).pow(2).mean().sqrt().clamp_min(1e-8)
    labels = torch.cat([torch.zeros_like(fitted), torch.ones_like(fitted)]).long()
    # Divided by the root of the width, rows have length about 1, which the probe's penalty suits.
    scale = scale * x.shape[1] ** 0.5
    probe = LinearProbe((x - mean) / scale, labels, classes=2, regularisation=REGULARISATION)

    def score(rows: torch.Tensor) -> torch.Tensor:
        logits = probe.logits((rows - mean) / scale)
        return logits[:, 1] - logits[:, 0]

    return area_under_curve(score(clean[scored]), score(triggered[scored]))


def probe_accuracy(
    train: torch.Tensor,
    train_labels: torch.Tensor,
    test: torch.Tensor,
    test_labels: torch.Tensor,
    *,
    classes: int,
) -> float:
    """Share of test rows that a linear probe of a layer's activations classifies rightly.

    Args:
        train: activations (N, D).
        train_labels: int64 (N,).
        test: activations (M, D).
        test_labels: int64 (M,).
        classes: number of classes.
    """
    mean, scale = train.mean(0), train.std(0).pow(2).mean().sqrt().clamp_min(1e-8)
    scale = scale * train.shape[1] ** 0.5
    probe = LinearProbe((train - mean) / scale, train_labels, classes=classes)
    predicted = probe.logits((test - mean) / scale).argmax(1)
    return float((predicted == test_labels).float().mean())
