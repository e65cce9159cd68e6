"""Mutual information of every layer of a network with the network's own output features.

Features are a deterministic function of each layer, so without noise the true information is
infinite and an estimate shows only the critic's resolution. The default therefore measures the
features plus fixed Gaussian noise (noisy networks, Goldfeld et al., ICML 2019). The affine map that
standardises both sides, and the noise, come from the *clean* images and serve triggered ones too,
so a collapse of the triggered features shows as what it is.

What the curve can and cannot say: since each layer determines the features, the true information
is the same for every layer (data processing holds in both directions). Differences between layers
therefore show how *readable* the features are from a layer, for a critic of fixed size and few
images; differences between clean and triggered images, or between encoders, are about information
itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch.nn import functional

from mimic.compute import generator
from mimic.config import InformationConfig
from mimic.encoder import Encoder
from mimic.evaluation import extract_activations
from mimic.mutual_information.estimators import RECOMMENDED, Estimator, estimator_named
from mimic.mutual_information.fitting import CriticFit, EpochRecord, Split
from mimic.mutual_information.nearest_neighbors import ksg_information, principal_components
from mimic.mutual_information.pairs import PairSource
from mimic.mutual_information.verdicts import Verdict, judge_fit
from mimic.preprocessing import Preprocessing

SEEDS_APART = 1_000


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """How information is measured.

    Args:
        layers: layer names.
        pool: see ``extract_activations``, as the next.
        projection: numbers a layer is projected to.
        noise: standard deviation of the noise on standardised features; 0 adds none.
        estimator: a name in ``ESTIMATORS``.
        critics: critics per layer and kind of input, each with a seed and held-out part of its own.
        epochs: see ``CriticFit``, as the next two.
        batch_size: pairs per update.
        learning_rate: of the critics' Adam, as the next.
        weight_decay: see ``CriticFit``.
        seed: noise, projection and critics.
        as_published: measure as the public MIMIC code does: layers as they are, one set of pairs
            for fitting and scoring, the mean of the last ten epochs as the estimate.
    """

    layers: tuple[str, ...]
    pool: int
    noise: float
    epochs: int
    batch_size: int
    learning_rate: float
    seed: int
    projection: int = 0
    estimator: str = RECOMMENDED
    critics: int = 1
    weight_decay: float = 1e-2
    as_published: bool = False

    @classmethod
    def from_config(cls, config: InformationConfig) -> Measurement:
        """The settings of an ``information`` run."""
        return cls(
            layers=config.layers,
            pool=config.pool,
            projection=config.projection,
            noise=config.noise,
            estimator=config.estimator,
            critics=config.critics,
            epochs=config.critic_epochs,
            batch_size=config.critic_batch,
            learning_rate=config.critic_learning_rate,
            weight_decay=config.critic_weight_decay,
            seed=config.seed,
            as_published=config.preset == "authors",
        )

    @property
    def seeds(self) -> list[int]:
        """One seed per critic; those of neighbouring run seeds never meet."""
        return [self.seed * SEEDS_APART + number for number in range(self.critics)]

    def splits(self, source: PairSource) -> list[Split]:
        """One split per critic."""
        if self.as_published:
            return [source.on_own_pairs()] * self.critics
        return source.splits(self.critics)


@dataclass(frozen=True)
class Reading:
    """What is known of one layer after its last epoch.

    Args:
        nats: the estimate, mean over critics.
        band: lowest and highest critic.
        verdict: whether the fit can be trusted.
        upper_bound: what no layer can exceed on these inputs, see ``gaussian_upper_bound``; None
            without noise.
        candidates: pairs that a true pair was compared with when scored, itself included.
    """

    nats: float
    band: tuple[float, float]
    verdict: Verdict
    upper_bound: float | None
    candidates: int


@dataclass(frozen=True)
class Curve:
    """One step of a fit: which curve it belongs to, and the estimates in nats.

    Means over critics; ``held_out_low`` and ``held_out_high`` are the lowest and highest critic.
    """

    network: str
    input: str
    layer: str
    epoch: int
    epochs: int
    fit: float
    held_out: float
    held_out_low: float
    held_out_high: float
    reading: Reading | None

    @property
    def estimate(self) -> float | None:
        """The layer's information in nats, with its last epoch."""
        return None if self.reading is None else self.reading.nats


@dataclass(frozen=True)
class Sides:
    """Both sides of the pairs of one kind of input.

    Args:
        activations: layer to (N, x_dim).
        features: the noisy features, (N, D).
        upper_bound: see ``Reading``.
    """

    activations: dict[str, torch.Tensor]
    features: torch.Tensor
    upper_bound: float | None


def measure_layers(
    encoder: Encoder,
    preprocessing: Preprocessing,
    source: PairSource,
    settings: Measurement,
    *,
    network: str,
    inputs: tuple[str, ...],
    device: torch.device,
    precision: torch.dtype = torch.float32,
) -> Iterator[Curve]:
    """Measure all layers on all kinds of input at once; features are computed once.

    Args:
        encoder: the measured network.
        preprocessing: what its inputs need.
        source: images, with their split.
        settings: layers, noise and critics.
        network: what to call it in the records.
        inputs: ``clean``, ``triggered`` or both.
        device: where to compute.
        precision: see ``CriticFit``; activations and features are computed in float32, and kept in
            this format on a GPU.

    Yields:
        Epoch by epoch one record per input and layer; the last epoch's carry their reading.

    Raises:
        ConfigError: if a layer or the estimator is unknown.
    """
    estimator = estimator_named(settings.estimator)
    sides = both_sides(encoder, preprocessing, source, settings, inputs=inputs, device=device)
    points = [(kind, layer) for kind in inputs for layer in settings.layers]
    kept = precision if device.type == "cuda" else torch.float32
    problems = [
        (sides[kind].activations[layer].to(kept), sides[kind].features.to(kept))
        for kind, layer in points
    ]
    bounds = [sides[kind].upper_bound for kind, _ in points]
    splits = settings.splits(source)
    if not estimator.critic:
        yield from without_critics(network, points, problems, splits, bounds)
        return
    fit = CriticFit(
        problems,
        splits,
        estimator,
        seeds=settings.seeds,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
        precision=precision,
    )
    for epoch, record in enumerate(fit, start=1):
        readings = conclude(fit, settings, estimator, bounds) if epoch == settings.epochs else None
        for number, (kind, layer) in enumerate(points):
            held_out = record.held_out[number]
            yield Curve(
                network, kind, layer, epoch, settings.epochs,
                float(record.fit[number].mean()), float(held_out.mean()),
                float(held_out.min()), float(held_out.max()),
                None if readings is None else readings[number],
            )  # fmt: skip


def conclude(
    fit: CriticFit, settings: Measurement, estimator: Estimator, bounds: list[float | None]
) -> list[Reading]:
    """The readings of all problems of a finished fit."""
    estimates = fit.last_fitted() if settings.as_published else fit.estimates()
    return [
        Reading(
            float(own.mean()),
            (float(own.min()), float(own.max())),
            judge_fit(
                *history_of(fit.history, number), own.tolist(),
                estimator=estimator, upper_bound=bound,
                ceiling=estimator.ceiling(fit.candidates), own_pairs=settings.as_published,
            ),
            bound,
            fit.candidates,
        )
        for number, (own, bound) in enumerate(zip(estimates, bounds, strict=True))
    ]  # fmt: skip


def history_of(history: list[EpochRecord], number: int) -> tuple[list[float], list[float]]:
    """Estimates on fitting and on held-out pairs by epoch, means over critics."""
    fit = [float(record.fit[number].mean()) for record in history]
    return fit, [float(record.held_out[number].mean()) for record in history]


def without_critics(
    network: str,
    points: list[tuple[str, str]],
    problems: list[tuple[torch.Tensor, torch.Tensor]],
    splits: list[Split],
    bounds: list[float | None],
) -> Iterator[Curve]:
    """KSG on principal components of the fitted rows, scored on the held-out ones."""
    for (kind, layer), (x, y), bound in zip(points, problems, bounds, strict=True):
        found = []
        for split in splits:
            rows = torch.cat(split.halves)
            x_part, y_part = (principal_components(side, split.fitted)[rows] for side in (x, y))
            found.append(ksg_information(x_part, y_part))
        mean, band = sum(found) / len(found), (min(found), max(found))
        verdict = Verdict("converged", "Nothing is trained here, so there is nothing to converge.")
        reading = Reading(max(0.0, mean), band, verdict, bound, len(rows))
        yield Curve(network, kind, layer, 1, 1, mean, mean, *band, reading)


def both_sides(
    encoder: Encoder,
    preprocessing: Preprocessing,
    source: PairSource,
    settings: Measurement,
    *,
    inputs: tuple[str, ...],
    device: torch.device,
) -> dict[str, Sides]:
    """Standardised activations and noisy features of every kind of input.

    The affine maps come from all clean images; they use no pairing, so held-out scores stay honest.
    """

    def extract(kind: str) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        activations, features = extract_activations(
            encoder, source.images(kind), preprocessing, layers=settings.layers, device=device,
            pool=settings.pool, projection=settings.projection, seed=settings.seed,
        )  # fmt: skip
        return activations, functional.normalize(features, dim=1)

    clean, clean_unit = extract("clean")
    if settings.as_published:
        y_mean, y_scale = torch.zeros_like(clean_unit[0]), clean_unit.new_ones(())
        maps = {layer: (x.new_zeros(()), x.new_ones(())) for layer, x in clean.items()}
    else:
        y_mean, y_scale = clean_unit.mean(0), spread(clean_unit)
        maps = {layer: (x.mean(0), spread(x)) for layer, x in clean.items()}
    stream = generator(torch.device("cpu"), settings.seed)
    draw = torch.randn(clean_unit.shape, generator=stream).to(device)
    sides = {}
    for kind in inputs:
        activations, unit = (clean, clean_unit) if kind == "clean" else extract(kind)
        y = (unit - y_mean) / y_scale
        bound = gaussian_upper_bound(y, settings.noise) if settings.noise > 0 else None
        x = {layer: (activations[layer] - mean) / scale for layer, (mean, scale) in maps.items()}
        sides[kind] = Sides(x, y + settings.noise * draw, bound)
    return sides


def gaussian_upper_bound(features: torch.Tensor, noise: float) -> float:
    """The most that anything can tell about features plus Gaussian noise, in nats.

    Of all signals with the same covariance C the Gaussian one carries most, ``1/2 log det(I + C /
    noise^2)`` (Cover and Thomas, Elements of Information Theory, section 9.5); no layer exceeds it.

    Args:
        features: without noise, (N, D).
        noise: standard deviation of the noise, above 0.
    """
    singular = torch.linalg.svdvals(features.double() - features.double().mean(0))
    share = singular.pow(2) / (len(features) - 1) / noise**2
    return float(torch.log1p(share).sum() / 2)


def spread(values: torch.Tensor) -> torch.Tensor:
    """One scale for all columns: the root mean square of their standard deviations.

    A single number keeps the geometry; columns that never move stay quiet.
    """
    return values.std(0).pow(2).mean().sqrt().clamp_min(1e-8)
