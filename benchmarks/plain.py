"""What the engine is measured against: the authors' schedule, step by step, with nothing clever.

Our own plain writing of what the public MIMIC code does per update and per critic epoch: float32,
default memory format, image-by-image augmentation, three student and two teacher forwards with
gradient, one critic after the other, and features encoded anew for every critic epoch. Where the
public code wastes more (hooks that are never removed, gradients through the measured encoder),
this leaves it out: the comparison errs in its favour.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from mimic.encoder import Architecture, ProjectionHead, build_encoder

LAYERS = ("layer1", "layer2", "layer3", "layer4")
WEIGHT = 3_500.0
"""The authors' average weight per layer: (4 * 1,000 + 10,000) / 4."""


class TwoViews(Dataset[tuple[torch.Tensor, torch.Tensor]]):
    """Two SimCLR views of each image, made on PIL images one at a time."""

    def __init__(self, images: np.ndarray) -> None:
        self.images = images
        self.view = transforms.Compose(
            [
                transforms.RandomResizedCrop(images.shape[1]),
                transforms.RandomHorizontalFlip(),
                transforms.RandomApply([transforms.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8),
                transforms.RandomGrayscale(0.2),
                transforms.ToTensor(),
                transforms.Normalize((0.5, 0.5, 0.5), (0.25, 0.25, 0.25)),
            ]
        )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        image = Image.fromarray(self.images[index])
        return self.view(image), self.view(image)


def stages(encoder: nn.Module, x: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
    """Maps of the four stages, and features."""
    x = functional.relu(encoder.bn1(encoder.conv1(x)))  # type: ignore[operator]
    maps = []
    for layer in LAYERS:
        x = getattr(encoder, layer)(x)
        maps.append(x)
    return maps, x.mean(dim=(2, 3))


def attention(activation: torch.Tensor) -> torch.Tensor:
    """Unit attention map per image."""
    return functional.normalize(activation.abs().pow(2).sum(1).flatten(1), dim=1)


def contrast(one: torch.Tensor, other: torch.Tensor, temperature: float = 0.5) -> torch.Tensor:
    """NT-Xent, spelled out."""
    z = functional.normalize(torch.cat([one, other]), dim=1)
    similarity = torch.exp(z @ z.T / temperature)
    count = len(one)
    others = similarity.sum(1) - similarity.diagonal()
    positive = torch.exp((z[:count] * z[count:]).sum(1) / temperature)
    return -torch.log(torch.cat([positive, positive]) / others).mean()


def updates(
    images: np.ndarray, *, width: int, batch: int, device: torch.device, workers: int
) -> Iterator[float]:
    """Train a student; yields the seconds of each update, its views and transfers included.

    Args:
        images: uint8 (N, H, W, 3).
        width: channels of the ResNet-18's first stage.
        batch: images per update.
        device: where to compute.
        workers: processes that make views.
    """
    torch.manual_seed(0)
    architecture = Architecture("resnet18", width=width)
    teacher, student = (build_encoder(architecture).to(device) for _ in range(2))
    head = ProjectionHead(architecture.feature_dim, 128).to(device)
    teacher.eval()
    student.train()
    optimizer = torch.optim.Adam(
        [*student.parameters(), *head.parameters()], lr=1e-3, weight_decay=1e-6, foreach=False
    )
    loader = DataLoader(
        TwoViews(images), batch, shuffle=True, drop_last=True, num_workers=workers,
        persistent_workers=workers > 0,
    )  # fmt: skip
    while True:
        started = time.perf_counter()
        for view_1, view_2 in loader:
            first, second = view_1.to(device), view_2.to(device)
            features = stages(student, first)[1]
            loss = contrast(head(features), head(stages(student, second)[1]))
            for mine, other in zip(
                stages(student, first)[0], stages(teacher, first)[0], strict=True
            ):
                loss = loss + WEIGHT * functional.mse_loss(attention(mine), attention(other))
            known = stages(teacher, first)[1]
            loss = loss - functional.cosine_similarity(features, known).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss.item()  # As the public code does to keep its running mean.
            yield time.perf_counter() - started
            started = time.perf_counter()


class FlatCritic(nn.Module):
    """The public code's critic: an MLP on the flattened map joined with the unit features."""

    def __init__(self, length: int, features: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(length + features, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(),
            nn.Linear(512, 1),
        )  # fmt: skip

    def forward(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Scores (B, 1) of pairs."""
        return self.layers(torch.cat([x, y], dim=1))


def critic_epochs(
    images: np.ndarray, layer: int, *, width: int, batch: int, device: torch.device
) -> Iterator[float]:
    """Fit one stage's critic; yields the seconds of each epoch, encoding included.

    Args:
        images: uint8 (N, 32, 32, 3).
        layer: which stage, 0 to 3.
        width: channels of the ResNet-18's first stage.
        batch: pairs per critic update.
        device: where to compute.
    """
    torch.manual_seed(0)
    encoder = build_encoder(Architecture("resnet18", width=width)).to(device).eval()
    side = images.shape[1] // 2**layer
    features = width * 8
    critic = FlatCritic(width * 2**layer * side * side, features).to(device)
    optimizer = torch.optim.Adam(critic.parameters(), lr=1e-3, weight_decay=1e-5, foreach=False)
    unit = torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255
    while True:
        started = time.perf_counter()
        for index in torch.randperm(len(unit)).split(batch):
            with torch.no_grad():
                maps, y = stages(encoder, ((unit[index] - 0.5) / 0.25).to(device))
            x, y = maps[layer].flatten(1), functional.normalize(y, dim=1)
            joint = critic(x, y)
            product = critic(x, y[torch.randperm(len(y), device=device)])
            loss = -(joint.mean() - product.exp().mean().log())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss.item()
        yield time.perf_counter() - started
