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
from mimic.encoder import Architecture, Encoder, build_encoder
from mimic.mitigation import Distillation, distill
from mimic.mutual_information import RECOMMENDED, Measurement, PairSource, measure_layers
from mimic.preprocessing import Preprocessing, parse_normalization, to_unit
from mimic.views import RECIPES

SIDE = 32
HELD_OUT = 0.25
DEFAULTS: dict[str, Any] = {
    "device": "auto", "engine": True, "width": 64, "batch": 128, "images": 2_000, "updates": 6,
    "layers": 4, "threads": 0, "workers": 0, "epochs": 200, "pool": 4, "critics": 1,
    "precision": "auto", "flat": False,
}  # fmt: skip


def pictures(count: int) -> np.ndarray:
    """Random images (N, 32, 32, 3); their content does not change the time."""
    return np.random.default_rng(0).integers(0, 256, (count, SIDE, SIDE, 3), dtype=np.uint8)


def encoder(width: int, device: torch.device) -> Encoder:
    """A random ResNet-18 with the CIFAR stem, in eval mode."""
    torch.manual_seed(1)
    return build_encoder(Architecture("resnet18", width=width)).to(device).eval()


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

    The plain way is timed for one epoch per stage and multiplied: every epoch does the same work.
    """
    if case["engine"]:
        return {"seconds": engine_information(case, device)}
    seconds = 0.0
    for layer in range(case["layers"]):
        every = plain.critic_epochs(
            pictures(case["images"]), layer, width=case["width"], batch=case["batch"], device=device
        )
        seconds += next(every)
    return {"seconds": seconds * case["epochs"]}


def engine_information(case: dict[str, Any], device: torch.device) -> float:
    """Seconds of the engine, features and transfers included.

    Flattened maps are timed for one and for three epochs, and the rest is multiplied, as above.
    """
    if not case["flat"]:
        return fit_critics(case, case["epochs"], device)
    first, three = (fit_critics(case, epochs, device) for epochs in (1, 3))
    return first + (three - first) / 2 * (case["epochs"] - 1)


def fit_critics(case: dict[str, Any], epochs: int, device: torch.device) -> float:
    """Seconds to measure with so many epochs; as many pairs are fitted as in the plain way."""
    flat, fitted = case["flat"], case["images"]
    images = pictures(fitted if flat else round(fitted / (1 - HELD_OUT)))
    source = PairSource(images, None, np.arange(len(images)) < fitted)
    settings = Measurement(
        layers=plain.LAYERS[: case["layers"]], pool=0 if flat else case["pool"],
        noise=0.0 if flat else 0.5, estimator="mine-joint" if flat else RECOMMENDED,
        critics=case["critics"], as_published=flat, epochs=epochs,
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
