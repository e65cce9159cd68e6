"""One measurement in a process of its own, so that memory peaks do not mix.

    python -m benchmarks.measure '{"what": "update", "engine": true, "width": 16}'

Prints one JSON object. ``benchmarks.__main__`` calls it.
"""

from __future__ import annotations

import json
import sys
import time
from itertools import islice
from statistics import median
from typing import Any

import numpy as np
import torch

from benchmarks import machine, plain
from mimic.compute import choose_precision
from mimic.config import DistillConfig
from mimic.encoder import Architecture, Encoder
from mimic.mitigation import Distillation, distill
from mimic.mutual_information import Measurement, PairSource, measure_layers
from mimic.preprocessing import Preprocessing, parse_normalization, to_unit
from mimic.views import RECIPES

SIDE = 32
DEFAULTS: dict[str, Any] = {
    "device": "auto", "engine": True, "width": 64, "batch": 128, "images": 2_000, "updates": 6,
    "layers": 4, "threads": 0, "workers": 0, "epochs": 200, "pool": 4, "critics": 0,
    "precision": "auto",
}  # fmt: skip


def pictures(count: int) -> np.ndarray:
    """Random images (N, 32, 32, 3); their content does not change the time."""
    return np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)


def encoder(width: int, device: torch.device) -> Encoder:
    """A random ResNet-18 with the CIFAR stem, in eval mode."""
    torch.manual_seed(1)
    return Encoder(Architecture("resnet18", width=width)).to(device).eval()


def update(case: dict[str, Any], device: torch.device) -> dict[str, float]:
    """Milliseconds of one update after a warm-up."""
    count, batch = case["updates"], case["batch"]
    images = pictures(max(batch * min(count, 15), batch))
    if not case["engine"]:
        every = plain.updates(
            images, width=case["width"], batch=batch, device=device, workers=case["workers"]
        )
        seconds = list(islice(every, 1 + count))[1:]
        return {"milliseconds": 1e3 * median(seconds)}
    per_epoch = len(images) // batch
    rounds = -(-count // per_epoch)
    config = DistillConfig(
        epochs=1 + rounds, batch_size=batch, learning_rate=1e-3, precision=case["precision"]
    )
    teacher = encoder(case["width"], device)
    state = Distillation.begin(teacher, config, device, projection_dim=128)
    records = distill(
        teacher,
        to_unit(images, device),
        state,
        config,
        weights=dict.fromkeys(plain.LAYERS[: case["layers"]], plain.WEIGHT),
        normalization=parse_normalization("0.5/0.25"),
        recipe=RECIPES["natural"],
        precision=choose_precision(config.precision, device),
    )
    seconds = [record.seconds / per_epoch for record in records][1:]
    return {"milliseconds": 1e3 * median(seconds)}


def information(case: dict[str, Any], device: torch.device) -> dict[str, float]:
    """Seconds to measure the stages with ``epochs`` critic epochs each.

    The plain way is timed for one epoch per stage after a warm-up and multiplied: every epoch does
    the same work.
    """
    images = pictures(case["images"])
    if not case["engine"]:
        seconds = 0.0
        for layer in range(case["layers"]):
            every = plain.critic_epochs(
                images, layer, width=case["width"], batch=case["batch"], device=device
            )
            seconds += list(islice(every, 2))[1]
        return {"seconds": seconds * case["epochs"]}
    return {"seconds": engine_information(case, images, device)}


def engine_information(case: dict[str, Any], images: np.ndarray, device: torch.device) -> float:
    """Seconds of the engine, features and transfers included."""
    rng = np.random.default_rng(0)
    source = PairSource(images, None, rng.random(len(images)) > 0.25)
    settings = Measurement(
        layers=plain.LAYERS[: case["layers"]], pool=case["pool"], noise=1.0, epochs=case["epochs"],
        batch_size=case["batch"], learning_rate=1e-3, seed=0,
    )  # fmt: skip
    measured = encoder(case["width"], device)
    preprocessing = Preprocessing(parse_normalization("0.5/0.25"))
    machine.wait(device)
    started = time.perf_counter()
    for _ in measure_layers(
        measured, preprocessing, source, settings, network="teacher", inputs=("clean",),
        device=device, precision=choose_precision(case["precision"], device),
    ):  # fmt: skip
        pass
    machine.wait(device)
    return time.perf_counter() - started


def main() -> None:
    """Measure the case given as JSON."""
    case = {**DEFAULTS, **json.loads(sys.argv[1])}
    if case["threads"]:
        torch.set_num_threads(case["threads"])
    device = machine.device_of(case["device"])
    if case["what"] == "machine":
        print(json.dumps(machine.describe(device)))
        return
    measured = {"update": update, "information": information}[case["what"]](case, device)
    print(json.dumps({**measured, "memory_mib": machine.memory_peak(device)}))


if __name__ == "__main__":
    main()
