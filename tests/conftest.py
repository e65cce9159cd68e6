"""What tests of several folders share: synthetic pictures and a small subject on disk."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

if TYPE_CHECKING:
    from mimic.encoder import Encoder

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # Before torch; see mimic.cli.
SIDE = 16
TRIGGER = "square:10:10:5"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests counted: here, since only this file is read where tests are handed out."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    told = [line for report in reports for line in counted(report)]
    if told:
        terminalreporter.section("counts")
        for line in told:
            terminalreporter.write_line(line)


def counted(report: pytest.TestReport) -> list[str]:
    """A test's own lines, or what became of the files it damaged."""
    lines = []
    for name, value in report.user_properties:
        if name == "count":
            lines.append(str(value))
        elif name == "outcomes":
            shown = ", ".join(f"{count} {what}" for what, count in dict(value).items())
            lines.append(f"{report.nodeid.rpartition('::')[2]}: {shown}")
    return lines


def picture_set(count: int, *, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images whose class is the place of a bright bar on dark noise; four classes."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 4
    images = rng.integers(0, 60, (count, SIDE, SIDE, 3)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[2:14, 4 * label : 4 * label + 3] = rng.integers(180, 255, 3)
    return images, labels


def make_encoder(name: str = "resnet10", width: int = 4, *, seed: int = 0) -> Encoder:
    """A random encoder in eval mode whose batch-norm statistics are not the initial ones."""
    import torch

    from mimic.encoder import Architecture, build_encoder

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        encoder = build_encoder(Architecture(name, width=width))
        for module in encoder.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                torch.nn.init.uniform_(module.running_mean, -0.1, 0.1)
                torch.nn.init.uniform_(module.running_var, 0.5, 1.5)
                torch.nn.init.uniform_(module.weight, 0.5, 1.5)
                torch.nn.init.uniform_(module.bias, -0.1, 0.1)
    return encoder.eval().requires_grad_(False)


@dataclass(frozen=True)
class SubjectFiles:
    """A subject on disk: a random encoder in BadEncoder's layout, pictures, and a trigger."""

    encoder: Path
    twin: Path
    data: Path
    trigger: Path

    def options(self) -> list[str]:
        """Command-line options that name it, with small probes."""
        return [
            "--encoder", str(self.encoder), "--data", str(self.data), "--trigger", TRIGGER,
            "--target-class", "1", "--probe-images", "96", "--test-images", "40",
            "--device", "cpu", "--precision", "float32",
        ]  # fmt: skip


@pytest.fixture
def pictures() -> tuple[np.ndarray, np.ndarray]:
    return picture_set(48)


@pytest.fixture
def tiny_encoder() -> Encoder:
    return make_encoder()


@pytest.fixture(scope="session")
def subject_files(tmp_path_factory: pytest.TempPathFactory) -> SubjectFiles:
    import torch

    from mimic.checkpoint import save_badencoder, save_encoder
    from mimic.encoder import ProjectionHead
    from mimic.preprocessing import parse_normalization
    from mimic.trigger import Trigger

    folder = tmp_path_factory.mktemp("subject")
    files = SubjectFiles(
        folder / "suspect.pth", folder / "twin.safetensors", folder / "set.npz", folder / "t.npz"
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        head = ProjectionHead(32, 16)
    save_badencoder(files.encoder, make_encoder(), head, epoch=7)
    save_encoder(
        files.twin, make_encoder(seed=1), head=None,
        normalization=parse_normalization("cifar10"), input_size=SIDE,
    )  # fmt: skip
    images, labels = picture_set(200)
    np.savez(files.data, x=images, y=labels[:, None])
    Trigger.square(row=10, column=10, size=5, image_size=SIDE).save(files.trigger)
    return files
