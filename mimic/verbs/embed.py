"""``embed``: clean and triggered test images in the plane, before and after cleaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from mimic.checkpoint import EncoderFile
from mimic.config import EmbedConfig
from mimic.datasets import ImageSet
from mimic.embedding import FIT_ROWS, Plane, decision_plane, project
from mimic.embedding_table import points_csv
from mimic.errors import DataError, EncoderError
from mimic.evaluation import extract_activations
from mimic.neighborhood import displacement, nearest_clean, separation
from mimic.verbs.evaluate import load_student
from mimic.verbs.work import Subject, Work

LOOKED = 0.15
"""Share of the work done when all vectors are there and placing begins."""
COSTS = {"plane": 1, "pca": 2, "umap": 60}
CHUNK = 1_024
SILENT_ROWS = 5_000
"""With more points a UMAP fit takes long enough for its silence to be explained."""
Vectors = dict[str, dict[str, np.ndarray]]


@dataclass(frozen=True)
class Points:
    """The images behind the points.

    Args:
        images: what is shown.
        stamped: the same with the trigger, uint8 (N, H, W, 3).
        labels: true classes (N,), -1 where unknown.
    """

    images: ImageSet
    stamped: np.ndarray
    labels: np.ndarray


def embed(work: Work[EmbedConfig]) -> dict[str, Any]:
    """Embed every chosen layer with every chosen projection; plots appear one by one."""
    config = work.config
    subject = Subject(work)
    encoders = load_encoders(work, subject)
    points = choose_points(subject, config)
    logits = class_scores(work, subject, points, encoders)
    predicted = {name: scores.argmax(axis=1) for name, scores in logits.items()}
    work.run.write_arrays(
        "points", images=points.images.images, stamped=points.stamped, labels=points.labels,
        **predicted,
    )  # fmt: skip
    vectors = all_vectors(work, points, encoders)
    work.run.write_arrays("samples", **sample_arrays(vectors, encoders))
    place_all(work, subject, vectors, logits, points)
    numbers: dict[str, dict[str, Any]] = {}
    for layer in config.layers:
        numbers[layer] = {"before": None, "after": None}
        for when in encoders:
            work.step(0.99, f"counting neighbours in {layer}")
            clean, triggered = vectors[f"{when}_clean"], vectors[f"{when}_triggered"]
            numbers[layer][when] = separation(
                clean[layer], triggered[layer], points.labels, target=subject.target
            )
    for layer, found in floor(work, subject, points).items():
        numbers[layer]["clean_twin"] = found
    return {
        "layers": list(config.layers),
        "projections": list(config.projections),
        "numbers": numbers,
        "target_class": subject.target,
        "class_names": [points.images.class_name(k) for k in range(points.images.classes)],
        "points": len(points.labels),
        "seconds": work.seconds,
    }


def load_encoders(work: Work[EmbedConfig], subject: Subject) -> dict[str, EncoderFile]:
    """The suspect as ``before`` and, where one is named, the cleaned encoder as ``after``."""
    encoders = {"before": subject.teacher}
    student = load_student(work, work.config.student)
    if student is not None:
        if student.encoder.architecture != subject.teacher.encoder.architecture:
            raise EncoderError(
                "The cleaned encoder has another architecture than the suspect.",
                "Name the distil run that cleaned this suspect.",
            )
        encoders["after"] = student
    return encoders


def floor(work: Work[EmbedConfig], subject: Subject, points: Points) -> dict[str, dict[str, Any]]:
    """The same numbers of the clean twin by layer: what the trigger does without a backdoor.

    Nothing without a twin, or where its layers are not the suspect's. It gets no map: the maps
    compare the suspect with what cleaning made of it.
    """
    twin = subject.twin
    if twin is None or twin.encoder.architecture != subject.teacher.encoder.architecture:
        return {}
    found = all_vectors(work, points, {"clean_twin": twin}, first=0.99, last=0.995)
    return {
        layer: separation(
            found["clean_twin_clean"][layer], found["clean_twin_triggered"][layer],
            points.labels, target=subject.target,
        )
        for layer in work.config.layers
    }  # fmt: skip


def choose_points(subject: Subject, config: EmbedConfig) -> Points:
    """Test images to show; beyond those that judge only where more are asked for."""
    if subject.trigger is None:
        raise DataError(
            "An embedding compares images with and without the trigger.", "Give a trigger."
        )
    enough = config.points <= len(subject.test)
    pool = subject.test if enough else subject.downstream("test")
    images = pool.take(pool.draw(config.points, seed=config.seed))
    labels = np.full(len(images), -1) if images.labels is None else images.labels
    return Points(images, subject.trigger.apply(images.images), labels)


def class_scores(
    work: Work[EmbedConfig], subject: Subject, points: Points, encoders: dict[str, EncoderFile]
) -> Plane:
    """Each encoder's linear probe on the points: logits (N, K) by encoder and input.

    Empty where there are no labels to fit a probe on.
    """
    judge = subject.judge()
    found: Plane = {}
    for number, (when, loaded) in enumerate(encoders.items()):
        if judge is None:
            continue
        work.step(0.01 + 0.03 * number, f"classifying {when} cleaning")
        probe = judge.fit(loaded.encoder, loaded.preprocessing, probe="linear")
        for kind, images in (("clean", points.images.images), ("triggered", points.stamped)):
            features = judge.features(loaded.encoder, images, loaded.preprocessing)
            found[f"{when}_{kind}"] = probe.logits(features).cpu().numpy()
    return found


def all_vectors(
    work: Work[EmbedConfig],
    points: Points,
    encoders: dict[str, EncoderFile],
    *,
    first: float = 0.07,
    last: float = LOOKED,
) -> Vectors:
    """Unit vectors (N, D) by encoder and input, and by layer; features always among them.

    Args:
        work: tells the progress, from ``first`` to ``last``.
        points: the images.
        encoders: by name.
        first: share of the work done before.
        last: share of the work done after.
    """
    layers = tuple(dict.fromkeys([*work.config.layers, "features"]))
    sources = {"clean": points.images.images, "triggered": points.stamped}
    pairs = [(when, kind) for when in encoders for kind in sources]
    vectors: Vectors = {}
    for number, (when, kind) in enumerate(pairs):
        images, parts = sources[kind], []
        for start in range(0, len(images), CHUNK):
            done = (number + start / len(images)) / len(pairs)
            whose = "clean twin" if when == "clean_twin" else f"{when} cleaning"
            work.step(first + (last - first) * done, f"encoding {kind} images, {whose}")
            part = images[start : start + CHUNK]
            parts.append(layer_vectors(encoders[when], part, layers, work.device))
        vectors[f"{when}_{kind}"] = {
            layer: np.concatenate([part[layer] for part in parts]) for layer in layers
        }
    return vectors


def sample_arrays(vectors: Vectors, encoders: dict[str, EncoderFile]) -> Plane:
    """Per image, in the output features: displacement, and the nearest clean images' ids."""
    arrays: Plane = {}
    for when in encoders:
        clean = vectors[f"{when}_clean"]["features"]
        triggered = vectors[f"{when}_triggered"]["features"]
        arrays[f"{when}_displacement"] = displacement(clean, triggered)
        arrays[f"{when}_clean_neighbors"] = nearest_clean(clean, clean)
        arrays[f"{when}_triggered_neighbors"] = nearest_clean(triggered, clean)
    return arrays


def place_all(
    work: Work[EmbedConfig], subject: Subject, vectors: Vectors, logits: Plane, points: Points
) -> None:
    """Write the map of every layer and projection, the quick ones first."""
    config = work.config
    jobs = [(p, layer) for layer in config.layers for p in config.projections]
    jobs = [job for job in jobs if job[0] != "plane" or job[1] == "features"]
    jobs.sort(key=lambda job: COSTS[job[0]])
    if ("plane", "features") in jobs and (not logits or subject.target is None):
        work.warn("The classifier's plane is left out: no probe can be fitted without labels.")
        jobs.remove(("plane", "features"))
    total, done = sum(COSTS[projection] for projection, _ in jobs), 0.0
    for projection, layer in jobs:
        span = (0.99 - LOOKED) / max(1, total)
        first, cost = LOOKED + span * done, COSTS[projection]
        tell = work.steps(first, first + span * cost, f"placing {layer} by {spelled(projection)}")
        tell(0.0)
        rows = sum(len(of_layer[layer]) for of_layer in vectors.values())
        if projection == "umap" and rows > SILENT_ROWS:
            # At once and without a time left, which only parts that tell their progress allow.
            work.progress.set_state(
                "running",
                message=f"placing {layer} by UMAP: the fit on {min(rows, FIT_ROWS):,} points "
                "cannot tell its progress",
            )
        if projection == "plane" and subject.target is not None:
            placed = {
                name: decision_plane(scores, points.labels, target=subject.target)
                for name, scores in logits.items()
            }
        else:
            placed = project(
                {name: of_layer[layer] for name, of_layer in vectors.items()},
                method=projection, neighbors=config.neighbors, seed=config.seed, on_share=tell,
            )  # fmt: skip
        work.run.write_arrays(f"{layer}-{projection}", **placed)
        if config.csv:
            write_table(work, layer, projection)
        work.run.record({"layer": layer, "projection": projection, "seconds": work.seconds})
        done += cost


def write_table(work: Work[EmbedConfig], layer: str, projection: str) -> None:
    """Put the points of a map beside it as CSV."""
    table = points_csv(work.run, layer, projection)
    work.run.write_file(
        f"{layer}-{projection}.csv", lambda path: path.write_text(table, encoding="utf-8")
    )


def spelled(projection: str) -> str:
    """A projection as read in a sentence."""
    return "the classifier's plane" if projection == "plane" else projection.upper()


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
