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

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from mimic.compute import generator
from mimic.config import InformationConfig
from mimic.datasets import ImageSet
from mimic.encoder import Encoder
from mimic.evaluation import extract_activations
from mimic.mutual_information.estimators import DonskerVaradhanFit
from mimic.preprocessing import Preprocessing, to_unit
from mimic.trigger import Trigger
from mimic.views import Recipe, random_views


@dataclass(frozen=True)
class PairSource:
    """The images information is measured on, split so that no image is in both parts.

    Args:
        clean: uint8 (N, H, W, 3).
        stamped: the same with the trigger on, or None.
        fitted: bool (N,), whether the critic is fitted on the image.
        origin: which image each row is a view of, (N,); None where every row is its own.
    """

    clean: np.ndarray
    stamped: np.ndarray | None
    fitted: np.ndarray
    origin: np.ndarray | None = None

    @classmethod
    def draw(
        cls,
        subset: ImageSet,
        trigger: Trigger | None,
        *,
        pairs: int,
        held_out: float,
        recipe: Recipe,
        seed: int,
    ) -> PairSource:
        """Extend a small clean subset by random views up to ``pairs`` images.

        The trigger is stamped on the finished view: a view that cut the trigger off would not be a
        triggered image. Views of one image all fall into the same part.
        """
        count = len(subset)
        copies = max(1, -(-pairs // count))
        origin = np.arange(count * copies) % count
        images = subset.images[origin]
        if copies > 1:
            random = generator(torch.device("cpu"), seed)
            views = random_views(to_unit(images, torch.device("cpu")), recipe, random)
            images = (views.permute(0, 2, 3, 1) * 255).round().to(torch.uint8).numpy()
        rng = np.random.default_rng(seed)
        if count > pairs:  # Stored order may be by class: draw instead of cutting.
            origin = np.sort(rng.permutation(count)[:pairs])
            images = subset.images[origin]
        images, origin = images[:pairs], origin[:pairs]
        order = rng.permutation(np.unique(origin))
        count = len(order)
        kept_out = order[: min(count - 2, max(2, round(held_out * count)))]
        return cls(
            clean=images,
            stamped=None if trigger is None else trigger.apply(images),
            fitted=~np.isin(origin, kept_out),
            origin=origin,
        )

    def held_out_halves(self) -> tuple[np.ndarray, np.ndarray]:
        """Row numbers of the held-out pairs in two halves that share no image."""
        rows = np.flatnonzero(~self.fitted)
        origin = rows if self.origin is None else self.origin[rows]
        images = np.unique(origin)
        first = np.isin(origin, images[: len(images) // 2])
        return rows[first], rows[~first]

    def images(self, kind: str) -> np.ndarray:
        """``clean`` or ``triggered`` images."""
        if kind == "clean" or self.stamped is None:
            return self.clean
        return self.stamped


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """How information is measured.

    Args:
        layers: layer names.
        pool: see ``extract_activations``.
        noise: standard deviation of the noise on standardised features; 0 adds none.
        epochs: see ``DonskerVaradhanFit``, as the next two.
        batch_size: pairs per update.
        learning_rate: of the critic's Adam.
        seed: noise and critics.
    """

    layers: tuple[str, ...]
    pool: int
    noise: float
    epochs: int
    batch_size: int
    learning_rate: float
    seed: int

    @classmethod
    def from_config(cls, config: InformationConfig) -> Measurement:
        """The settings of an ``information`` run."""
        return cls(
            layers=config.layers,
            pool=config.pool,
            noise=config.noise,
            epochs=config.critic_epochs,
            batch_size=config.critic_batch,
            learning_rate=config.critic_learning_rate,
            seed=config.seed,
        )


@dataclass(frozen=True)
class Curve:
    """One step of a fit: which curve it belongs to, and the bound in nats."""

    network: str
    input: str
    layer: str
    epoch: int
    epochs: int
    fit: float
    held_out: float
    estimate: float | None


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
    """Fit one critic per layer and kind of input; features are computed once.

    Args:
        encoder: the measured network.
        preprocessing: what its inputs need.
        source: images, with their split.
        settings: layers, noise and critics.
        network: what to call it in the records.
        inputs: ``clean``, ``triggered`` or both.
        device: where to compute.
        precision: see ``DonskerVaradhanFit``; activations and features are always float32.

    Yields:
        One record per critic epoch; a layer's last record carries its estimate.
    """
    fitted = torch.from_numpy(source.fitted).to(device)
    halves = [torch.from_numpy(rows).to(device) for rows in source.held_out_halves()]

    def extract(kind: str) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        return extract_activations(
            encoder,
            source.images(kind),
            preprocessing,
            layers=settings.layers,
            device=device,
            pool=settings.pool,
        )

    clean_activations, clean_features = extract("clean")
    clean_unit = functional.normalize(clean_features, dim=1)
    y_mean, y_scale = clean_unit[fitted].mean(0), spread(clean_unit[fitted])
    for kind in inputs:
        activations, features = (
            (clean_activations, clean_features) if kind == "clean" else extract(kind)
        )
        y = (functional.normalize(features, dim=1) - y_mean) / y_scale
        draw = torch.randn(y.shape, generator=generator(torch.device("cpu"), settings.seed)).to(
            device
        )
        y = y + settings.noise * draw
        for layer in settings.layers:
            x_clean = clean_activations[layer][fitted]
            x = (activations[layer] - x_clean.mean(0)) / spread(x_clean)
            fit = DonskerVaradhanFit(
                x[fitted],
                y[fitted],
                [(x[half], y[half]) for half in halves],
                epochs=settings.epochs,
                batch_size=settings.batch_size,
                learning_rate=settings.learning_rate,
                seed=settings.seed,
                precision=precision,
            )
            for epoch, (on_fit, a, b) in enumerate(fit, start=1):
                last = fit.estimate() if epoch == settings.epochs else None
                yield Curve(network, kind, layer, epoch, settings.epochs, on_fit, (a + b) / 2, last)


def spread(values: torch.Tensor) -> torch.Tensor:
    """One scale for all columns: the root mean square of their standard deviations.

    A single number keeps the geometry; columns that never move stay quiet.
    """
    return values.std(0).pow(2).mean().sqrt().clamp_min(1e-8)


def explain(curves: Mapping[tuple[str, str], Mapping[str, float]]) -> str:
    """What the curves show, in plain words.

    Args:
        curves: (network, input) to nats per layer.
    """
    teacher = curves.get(("teacher", "clean"))
    if not teacher:
        return "The suspect encoder was not measured on clean images."
    top = max(teacher, key=lambda layer: teacher[layer])
    parts = [
        f"On clean images, {top} tells most about the suspect's output features "
        f"({teacher[top]:.2f} nats)."
    ]
    triggered = curves.get(("teacher", "triggered"))
    if triggered and sum(teacher.values()) > 0:
        kept = sum(triggered.values()) / sum(teacher.values())
        parts.append(
            f"With the trigger on, {kept:.0%} of the information is left, summed over layers."
        )
        twin_clean, twin = (
            curves.get(("clean_twin", "clean")),
            curves.get(("clean_twin", "triggered")),
        )
        if twin_clean and twin and sum(twin_clean.values()) > 0:
            share = sum(twin.values()) / sum(twin_clean.values())
            parts.append(f"For the clean twin it is {share:.0%}.")
        if kept < 0.5:
            parts.append("The encoder stops looking at the image: a strong sign of a backdoor.")
        else:
            parts.append("The trigger does not make the encoder ignore the image.")
    return " ".join(parts)
