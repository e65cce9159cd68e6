"""The images mutual information is measured on, and how they are split."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from mimic.compute import generator
from mimic.datasets import ImageSet
from mimic.mutual_information.fitting import Split
from mimic.preprocessing import to_unit
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
        order: the images in random order, those that are not fitted first; None: by number.
    """

    clean: np.ndarray
    stamped: np.ndarray | None
    fitted: np.ndarray
    origin: np.ndarray | None = None
    order: np.ndarray | None = None

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
        least = 4 if count >= 8 else 2  # Two images per half, where there are some.
        kept_out = order[: min(count - 2, max(least, round(held_out * count)))]
        return cls(
            clean=images,
            stamped=None if trigger is None else trigger.apply(images),
            fitted=~np.isin(origin, kept_out),
            origin=origin,
            order=order,
        )

    def splits(self, count: int) -> list[Split]:
        """One split per critic; each holds out other images, and halves share no image.

        Together the critics score most images, so the draw of the held-out ones matters less.
        """
        origin = np.arange(len(self.fitted)) if self.origin is None else self.origin
        kept_out = np.unique(origin[~self.fitted])
        order = self.order
        if order is None:
            order = np.concatenate([kept_out, np.setdiff1d(origin, kept_out)])
        kept = len(kept_out)
        splits = []
        for turn in range(count):
            rolled = np.roll(order, -turn * kept)
            parts = (rolled[kept:], rolled[: kept // 2], rolled[kept // 2 : kept])
            fitted, first, second = (
                torch.from_numpy(np.flatnonzero(np.isin(origin, part))) for part in parts
            )
            splits.append(Split(fitted, (first, second)))
        return splits

    def on_own_pairs(self) -> Split:
        """Fitted on everything and scored on the same, as the public MIMIC code does."""
        rows = torch.arange(len(self.fitted))
        return Split(rows, (rows[::2], rows[1::2]))

    def images(self, kind: str) -> np.ndarray:
        """``clean`` or ``triggered`` images."""
        if kind == "clean" or self.stamped is None:
            return self.clean
        return self.stamped
