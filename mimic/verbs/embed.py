"""``embed``: clean and triggered test images in the plane, before and after cleaning."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.nn import functional

from mimic.checkpoint import EncoderFile
from mimic.config import EmbedConfig
from mimic.embedding import Plane, project, separation
from mimic.errors import DataError, EncoderError
from mimic.evaluation import extract_activations
from mimic.evaluation.judge import Prediction
from mimic.verbs.evaluate import load_student
from mimic.verbs.work import Subject, Work


def embed(work: Work[EmbedConfig]) -> dict[str, Any]:
    """Embed every chosen layer with every chosen projection; plots appear one by one."""
    config = work.config
    subject = Subject(work)
    encoders = {"before": subject.teacher}
    student = load_student(work, config.student)
    if student is not None:
        if student.encoder.architecture != subject.teacher.encoder.architecture:
            raise EncoderError(
                "The cleaned encoder has another architecture than the suspect.",
                "Name the distil run that cleaned this suspect.",
            )
        encoders["after"] = student
    chosen = subject.test.draw(config.points, seed=config.seed)
    points = subject.test.take(chosen)
    labels = points.labels
    if subject.trigger is None:
        raise DataError(
            "An embedding compares images with and without the trigger.", "Give a trigger."
        )
    pictures = {"clean": points.images, "triggered": subject.trigger.apply(points.images)}
    judge = subject.judge()
    predictions: dict[str, Prediction] = {}
    for number, (when, loaded) in enumerate(encoders.items()):
        work.step(0.02 + 0.05 * number, f"classifying {when} cleaning")
        if judge is not None:
            predictions[when] = judge.predict(loaded.encoder, loaded.preprocessing)
    predicted = {
        f"{when}_{kind}": getattr(prediction, attribute)[chosen]
        for when, prediction in predictions.items()
        for kind, attribute in (("clean", "clean"), ("triggered", "stamped"))
    }
    work.run.write_arrays(
        "points",
        images=points.images,
        stamped=pictures["triggered"],
        labels=np.full(len(points), -1) if labels is None else labels,  # -1 is shown as unknown.
        **predicted,
    )
    vectors = {
        f"{when}_{kind}": layer_vectors(loaded, images, config.layers, work.device)
        for when, loaded in encoders.items()
        for kind, images in pictures.items()
    }
    numbers: dict[str, dict[str, Any]] = {}
    jobs = [(p, layer) for layer in config.layers for p in config.projections]
    for number, (projection, layer) in enumerate(jobs):
        work.step(0.15 + 0.85 * number / len(jobs), f"placing {layer} by {projection.upper()}")
        groups: Plane = {name: of_layer[layer] for name, of_layer in vectors.items()}
        if layer not in numbers:
            numbers[layer] = {"before": None, "after": None} | {
                when: separation(
                    groups[f"{when}_clean"], groups[f"{when}_triggered"], labels,
                    target=subject.target,
                )
                for when in encoders
            }  # fmt: skip
        placed = project(groups, method=projection, neighbors=config.neighbors, seed=config.seed)
        work.run.write_arrays(f"{layer}-{projection}", **placed)
        work.run.record({"layer": layer, "projection": projection, "seconds": work.seconds})
    return {
        "layers": list(config.layers),
        "projections": list(config.projections),
        "numbers": numbers,
        "target_class": subject.target,
        "class_names": [points.class_name(k) for k in range(points.classes)],
        "seconds": work.seconds,
    }


def layer_vectors(
    loaded: EncoderFile, images: np.ndarray, layers: tuple[str, ...], device: torch.device
) -> dict[str, np.ndarray]:
    """Unit vectors (N, D) per layer: channel means of the map, or the output features."""
    names = [layer for layer in layers if layer != "features"]
    activations, features = extract_activations(
        loaded.encoder, images, loaded.preprocessing, layers=names, device=device, pool=1
    )
    found = {**activations, "features": features}
    return {layer: functional.normalize(found[layer], dim=1).cpu().numpy() for layer in layers}
