"""How fast random views are made: ours, kornia's where it is installed, and torchvision's.

    python -m benchmarks.views

SimCLR's recipe on 512 images of 32x32, on one CPU thread; images per second, the best of several
rounds in turns.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable

import torch
from torchvision import transforms
from torchvision.transforms import functional

from mimic.views import RECIPES, random_views

IMAGES, ROUNDS = 512, 5


def main() -> None:
    """Time every way in turns and print a table."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    images = torch.rand(IMAGES, 3, 32, 32)
    ways = makers(images)
    best = dict.fromkeys(ways, float("inf"))
    for _ in range(ROUNDS):
        for name, make in ways.items():
            started = time.perf_counter()
            make()
            best[name] = min(best[name], time.perf_counter() - started)
    print("| views | images per second |\n|---|---|")
    for name, seconds in best.items():
        print(f"| {name} | {IMAGES / seconds:,.0f} |")


def makers(images: torch.Tensor) -> dict[str, Callable[[], object]]:
    """One function per way, each making one view of every image."""
    one_by_one = transforms.Compose(
        [
            transforms.RandomResizedCrop(images.shape[-1], antialias=True),
            transforms.RandomHorizontalFlip(),
            transforms.RandomApply([transforms.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8),
            transforms.RandomGrayscale(0.2),
        ]
    )
    pictures = [functional.to_pil_image(image) for image in images]
    random = torch.Generator().manual_seed(0)
    ways: dict[str, Callable[[], object]] = {
        "ours": lambda: random_views(images, RECIPES["natural"], random),
        "torchvision, tensors one by one": lambda: [one_by_one(image) for image in images],
        "torchvision, PIL images one by one": lambda: [one_by_one(image) for image in pictures],
    }
    if importlib.util.find_spec("kornia"):
        from kornia import augmentation

        batched = augmentation.AugmentationSequential(
            augmentation.RandomResizedCrop((32, 32), scale=(0.08, 1.0)),
            augmentation.RandomHorizontalFlip(),
            augmentation.ColorJitter(0.4, 0.4, 0.4, 0.1, p=0.8),
            augmentation.RandomGrayscale(p=0.2),
        )
        ways["kornia, per image in a batch"] = lambda: batched(images)
    return ways


if __name__ == "__main__":
    main()
