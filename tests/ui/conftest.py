"""Runs written by hand, so that pages can be tested without training anything."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from mimic.config import (
    AttentionConfig,
    Config,
    DistillConfig,
    EmbedConfig,
    InformationConfig,
    InspectConfig,
    PlacementConfig,
    SweepConfig,
)
from mimic.run import Run, Status
from mimic.sweep import cells, explain, summary

LAYERS = ("stem", "layer1", "layer2", "layer3", "layer4")
SUBJECT: dict[str, Any] = {
    "encoder": "asset:demo/teacher.pth",
    "clean_twin": "asset:demo/clean_twin.pth",
    "data": "digits",
    "trigger": "square:10:10:5",
    "target_class": 1,
}
TEACHER = {
    "accuracy": 0.992, "accuracy_interval": [0.979, 0.997],
    "asr": 0.998, "asr_interval": [0.987, 1.0], "asr_all": 0.998,
    "test_images": 497, "stamped_images": 447,
}  # fmt: skip
STUDENT = {
    "accuracy": 0.966, "accuracy_interval": [0.946, 0.979],
    "asr": 0.031, "asr_interval": [0.019, 0.052], "asr_all": 0.127,
    "test_images": 497, "stamped_images": 447,
}  # fmt: skip
TWIN = {
    "accuracy": 0.996, "accuracy_interval": [0.985, 0.999],
    "asr": 0.018, "asr_interval": [0.009, 0.035], "asr_all": 0.105,
    "test_images": 497, "stamped_images": 447,
}  # fmt: skip


def digit_images(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Blocky stand-ins for digits: clean, stamped, labels."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, count)
    images = rng.integers(0, 60, (count, 16, 16, 3)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[3:13, 3 + label // 2 : 6 + label // 2] = 220
    stamped = images.copy()
    stamped[:, 10:15, 10:15] = 255
    return images, stamped, labels


def write_run(root: Path, kind: str, config: Config, run_id: str, state: str, **more: Any) -> Run:
    """A run directory in some state."""
    run = Run.create(root, kind, config, run_id=run_id)
    me = psutil.Process()
    status = Status(
        state=state,
        progress=more.pop("progress", 1.0),
        started=time.time() - 20,
        updated=time.time(),
        pid=os.getpid(),
        pid_created=me.create_time(),
        device="cpu",
        memory_mb=612.0,
        **more,
    )
    run.write_status(status)
    return run


def write_inspect(root: Path, run_id: str = "demo-inspect", **changes: Any) -> Run:
    """A finished inspection of a backdoored digit encoder."""
    config = InspectConfig(**{**SUBJECT, **changes})
    run = write_run(root, "inspect", config, run_id, "finished")
    images, stamped, labels = digit_images(12)
    run.write_arrays(
        "examples",
        images=images,
        stamped=stamped if config.trigger else images,
        labels=labels,
        predicted_clean=labels,
        predicted_stamped=np.full(12, 1) if config.trigger else labels,
        confidence_clean=np.full(12, 0.97),
        confidence_stamped=np.full(12, 0.99),
    )
    data = {
        "name": "digits", "images": 1300, "test_images": 497, "classes": 10, "class_names": [],
        "shape": [16, 16, 3], "class_counts": [130] * 10,
    }  # fmt: skip
    run.write_json(
        "result.json",
        {
            "encoder": {
                "path": "asset:demo/teacher.pth",
                "sha256": "3f" * 32,
                "bytes": 1_234_567,
                "layout": "BadEncoder SimCLR",
                "architecture": "resnet10",
                "width": 16,
                "stem": "cifar",
                "feature_dim": 128,
                "parameters": 307_000,
                "input_size": 16,
                "normalization": {"mean": [0.3] * 3, "std": [0.35] * 3, "source": "the file"},
                "layers": [
                    {"name": n, "channels": 16 * 2 ** max(0, i - 1), "height": 16, "width": 16,
                     "parameters": 5_000 * (i + 1)}
                    for i, n in enumerate(LAYERS)
                ],
            },
            "data": data,
            "downstream": data,
            "trigger": {"shape": [16, 16, 3], "changed_pixels": 25, "share": 25 / 256}
            if config.trigger
            else None,
            "target_class": 1 if config.trigger else None,
            "target_name": "1" if config.trigger else None,
            "health": {
                "knn_accuracy": 0.984,
                "random_knn_accuracy": 0.911,
                "feature_spread": 0.41,
                "random_feature_spread": 0.02,
                "dead_features": 0,
                "warnings": ["Only 497 test images: intervals are wide."],
            },
            "scores": {"teacher": TEACHER, "clean_twin": TWIN},
            "seconds": 4.2,
        },
    )  # fmt: skip
    return run


def write_information(root: Path, run_id: str = "demo-information") -> Run:
    """A finished measurement whose triggered curve collapses."""
    run = write_run(root, "information", InformationConfig(**SUBJECT), run_id, "finished")
    values = {
        ("teacher", "clean"): (0.4, 0.7, 1.0, 1.7, 1.6),
        ("teacher", "triggered"): (0.01, 0.0, 0.02, 0.01, 0.0),
        ("random", "clean"): (0.2, 0.4, 1.1, 2.0, 2.9),
        ("random", "triggered"): (0.2, 0.3, 0.8, 1.2, 1.4),
    }
    for (network, given), nats in values.items():
        for layer, top in zip(LAYERS, nats, strict=True):
            for epoch in range(1, 41):
                fit = top * (1 - 0.9**epoch)
                run.record(
                    {"network": network, "input": given, "layer": layer, "epoch": epoch,
                     "fit": fit * 1.1, "held_out": fit}
                )  # fmt: skip
    clean = dict(zip(LAYERS, values["teacher", "clean"], strict=True))
    run.write_json(
        "result.json",
        {
            "layers": list(LAYERS),
            "curves": [
                {"network": n, "input": g, "layers": dict(zip(LAYERS, v, strict=True))}
                for (n, g), v in values.items()
            ],
            "clean_images": 52,
            "clean_fraction": 0.04,
            "pairs": 900,
            "held_out_pairs": 300,
            "noise": 0.1,
            "pool": 4,
            "sentence": "On triggered images the suspect's layers tell almost nothing about its "
            "output: it stops looking at the picture.",
            "weights": {"gentle": clean, "authors": clean},
            "seconds": 61.0,
        },
    )
    return run


def distil_records(epochs: int, upto: int) -> list[dict[str, Any]]:
    """Metric lines like a distillation writes."""
    lines: list[dict[str, Any]] = [
        {"epoch": 0, "epochs": epochs,
         "evaluation": {"accuracy": 0.75, "asr": 0.02, "asr_all": 0.1}}
    ]  # fmt: skip
    for epoch in range(1, upto + 1):
        fall = 0.95**epoch
        line: dict[str, Any] = {
            "epoch": epoch, "epochs": epochs, "loss": 4 * fall + 1, "contrastive": 2 * fall + 1,
            "attention": 1.5 * fall, "clone": 0.5 * fall,
            "attention_by_layer": dict.fromkeys(LAYERS[1:], 0.02 * fall),
            "learning_rate": 3e-3 * fall, "seconds": 0.4,
        }  # fmt: skip
        if epoch % 5 == 0:
            line["evaluation"] = {
                "accuracy": 0.97 - 0.2 * fall, "asr": 0.03 + 0.02 * fall, "asr_all": 0.13,
            }  # fmt: skip
        lines.append(line)
    return lines


def write_distill(
    root: Path, run_id: str = "demo-distill", state: str = "finished", **status: Any
) -> Run:
    """A distillation in any state."""
    finished = state == "finished"
    status.setdefault("progress", 1.0 if finished else 0.4)
    run = write_run(root, "distill", DistillConfig(**SUBJECT), run_id, state, **status)
    for line in distil_records(60, 60 if finished else 24):
        run.record(line)
    if not finished:
        return run
    images, stamped, labels = digit_images(12)
    run.write_arrays(
        "examples", images=images, stamped=stamped, labels=labels, before_clean=labels,
        before_stamped=np.full(12, 1), after_clean=labels, after_stamped=labels,
    )  # fmt: skip
    (run.directory / "student.safetensors").write_bytes(b"weights")
    (run.directory / "student.pth").write_bytes(b"weights in the original layout")
    run.write_json(
        "result.json",
        {
            "weights": {"layer1": 7.0, "layer2": 9.0, "layer3": 13.0, "layer4": 11.0},
            "information": {"layer1": 0.7, "layer2": 1.0, "layer3": 1.7, "layer4": 1.6},
            "clean_images": 52,
            "clean_fraction": 0.04,
            "epochs": 60,
            "device": "cpu",
            "precision": "float32",
            "seconds": 24.0,
            "scores": {"teacher": TEACHER, "student": STUDENT, "clean_twin": TWIN},
            "student_file": "student.safetensors",
            "original_layout_file": "student.pth",
        },
    )
    return run


def write_embed(
    root: Path,
    run_id: str = "demo-embed",
    student: str = "demo-distill",
    count: int = 60,
    full: bool = True,
) -> Run:
    """A finished embedding: triggered points sit apart before and among the rest after.

    Runs made before neighbours and displacement were stored are like this without ``full``.
    """
    config = EmbedConfig(**SUBJECT, student=student, points=count)
    run = write_run(root, "embed", config, run_id, "finished")
    images, stamped, labels = digit_images(count)
    run.write_arrays(
        "points", images=images, stamped=stamped, labels=labels, before_clean=labels,
        before_triggered=np.full(count, 1), after_clean=labels, after_triggered=labels,
    )  # fmt: skip
    rng = np.random.default_rng(1)
    if full:
        arrays: dict[str, np.ndarray] = {}
        for side in ("before", "after"):
            arrays[f"{side}_displacement"] = rng.uniform(0, 1, count).astype(np.float32)
            for kind in ("clean", "triggered"):
                near = rng.integers(0, count, (count, 8)).astype(np.uint16)
                arrays[f"{side}_{kind}_neighbors"] = near
        run.write_arrays("samples", **arrays)
    angle = labels * 2 * np.pi / 10
    centres = np.stack([6 * np.cos(angle), 6 * np.sin(angle)], axis=1)
    numbers = {}
    for layer in config.layers:
        for projection in config.projections:
            if projection == "plane" and (layer != "features" or not full):
                continue
            noise = rng.normal(size=(4, count, 2))
            run.write_arrays(
                f"{layer}-{projection}",
                before_clean=(centres + noise[0] * 0.7).astype(np.float32),
                before_triggered=(noise[1] * 0.5 + [9, 9]).astype(np.float32),
                after_clean=(centres + noise[2]).astype(np.float32),
                after_triggered=(centres + noise[3]).astype(np.float32),
            )
        numbers[layer] = {
            "before": {"nearest_clean_is_target": 0.99, "silhouette": 0.71,
                       "same_class_neighbours": 0.97},
            "after": {"nearest_clean_is_target": 0.11, "silhouette": 0.02,
                      "same_class_neighbours": 0.93},
        }  # fmt: skip
    run.write_json(
        "result.json",
        {
            "layers": list(config.layers),
            "projections": list(config.projections),
            "numbers": numbers,
            "target_class": 1,
            "class_names": [],
            "seconds": 21.0,
        },
    )
    return run


def write_attention(root: Path, run_id: str = "demo-attention", **changes: Any) -> Run:
    """A finished look in which only the suspect's layer3 looks at the trigger."""
    config = AttentionConfig(**{**SUBJECT, "student": "demo-distill", "images": 6, **changes})
    run = write_run(root, "attention", config, run_id, "finished")
    images, stamped, labels = digit_images(6)
    area = np.zeros((6, 16, 16), dtype=bool)
    area[:, 10:15, 10:15] = True
    run.write_arrays("pictures", images=images, stamped=stamped, labels=labels, area=area)
    rng = np.random.default_rng(2)
    networks, rows = ("teacher", "student", "clean_twin"), []
    for place, layer in enumerate(LAYERS):
        side = 16 // 2 ** max(0, place - 1)
        maps = {
            f"{n}_{g}": rng.random((6, side, side)).astype(np.float16)
            for n in networks
            for g in ("clean", "triggered")
        }
        run.write_arrays(f"maps-{layer}", **maps)
        for network in networks:
            share = 0.6 if (network, layer) == ("teacher", "layer3") else 0.12 + 0.01 * place
            mean = {"mean": share, "interval": [share - 0.02, share + 0.02]}
            above = {"mean": share - 0.12, "interval": [share - 0.14, share - 0.1]}
            rows.append(
                {"network": network, "layer": layer, "on_trigger": mean, "same_place": mean,
                 "above_twin": None if network == "clean_twin" else above, "unmoved": mean,
                 "like_suspect_clean": None if network == "teacher" else mean,
                 "like_suspect_triggered": None if network == "teacher" else mean}
            )  # fmt: skip
    run.write_json(
        "result.json",
        {
            "layers": list(LAYERS), "networks": list(networks), "inputs": ["clean", "triggered"],
            "sizes": {n: [16 // 2 ** max(0, i - 1)] * 2 for i, n in enumerate(LAYERS)},
            "area": 25 / 256, "ceilings": dict.fromkeys(LAYERS, 0.4), "numbers": rows,
            "sentences": {n: f"In {n} the suspect puts 60.0% there." for n in LAYERS},
            "images": 6, "measured": 200, "target_class": 1, "seconds": 5.0,
        },
    )  # fmt: skip
    return run


def write_sweep(
    root: Path, run_id: str = "sweep-a", state: str = "finished", done: int = -1, **changes: Any
) -> Run:
    """A sweep in any state: only the upper layers at strong attention bring the backdoor along."""
    config = SweepConfig(**{**SUBJECT, **changes})
    run = write_run(root, "sweep", config, run_id, state, progress=0.5)
    planned = cells(config)
    run.write_json("plan.json", {"cells": len(planned), "teacher": TEACHER, "floor": TWIN})
    for cell in planned if done < 0 else planned[:done]:
        strong = cell.scale > 1000 and cell.layers != ("layer1",)
        asr = 0.7 + 0.1 * cell.seed if strong else 0.02
        run.record(
            {**cell.to_json(), "weights": cell.weights(None), "accuracy": 0.95,
             "accuracy_interval": [0.93, 0.97], "asr": asr, "asr_interval": [asr, asr + 0.01],
             "asr_all": asr, "failure": "", "clean_images": 52, "updates": 60, "seconds": 6.0}
        )  # fmt: skip
    if state == "finished":
        rows = summary(run.metrics())
        told = explain(rows, teacher=TEACHER, floor=TWIN, every=config.layers)
        run.write_json(
            "result.json",
            {"cells": run.metrics(), "table": rows, "every": list(config.layers), "notes": ["x"],
             "teacher": TEACHER, "floor": TWIN, "sentence": told, "seconds": 6.0 * len(planned)},
        )  # fmt: skip
    return run


def write_placement(root: Path, run_id: str = "demo-placement", student: str = "") -> Run:
    """A finished placement run: the suspect obeys on even rows, a cleaned encoder nowhere."""
    config = PlacementConfig(**SUBJECT, student=student, stride=2 if student else 0)
    run = write_run(root, "placement", config, run_id, "finished")
    images, _, labels = digit_images(12)
    places = list(range(0, 12, 2 if student else 1))
    obeys = np.array([[not student and row % 2 == 0 for _ in places] for row in places])
    answers = np.where(obeys[..., None], 1, labels)
    run.write_arrays(
        "placement", images=images, labels=labels.astype(np.int16), answers=answers,
        confidence=np.full(answers.shape, 0.9, np.float16), clean=labels,
        clean_confidence=np.full(12, 0.97, np.float16), rows=np.array(places),
        columns=np.array(places), sticker=np.full((5, 5, 4), 255, np.uint8),
    )  # fmt: skip
    here = {"asr": float(obeys[-2, 0]), "asr_interval": [0.97, 1.0]}
    run.write_json(
        "result.json",
        {
            "looked_at": "student" if student else "teacher", "rows": places, "columns": places,
            "patch_size": [5, 5], "trained_place": [10, 10],
            "asr_by_position": obeys.astype(float).tolist(),
            "floor_by_position": np.full(obeys.shape, 0.01).tolist(),
            "trained": {"looked_at": here, "floor": here},
            "elsewhere": {"mean": 0.5, "lowest": 0.0, "highest": 1.0},
            "scored_images": 200, "accuracy": 0.99, "accuracy_interval": [0.97, 1.0],
            "test_images": 497, "target_class": 1, "class_names": [str(k) for k in range(10)],
            "seconds": 2.0,
        },
    )  # fmt: skip
    return run


def write_demo(root: Path) -> None:
    """All finished runs of one subject that pages are full with."""
    write_inspect(root)
    write_placement(root)
    write_information(root)
    write_distill(root)
    write_embed(root)


def mark_gone(run: Run) -> None:
    """Make the run look as if its process had been killed."""
    run.write_status(replace(run.status(), state="running", pid=2**22 + 1, pid_created=1.0))


@pytest.fixture(autouse=True)
def expert(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages show everything, as these tests press what Simple hides; some choose Simple again."""
    monkeypatch.setattr("ui.mode.DEFAULT", "expert")


@pytest.fixture
def placement_run() -> Callable[..., Run]:
    """Writes a finished placement run, of a cleaned encoder if one is named."""
    return write_placement


@pytest.fixture
def runs_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty runs directory that the app uses, without the runs that ship with the project."""
    root = tmp_path / "runs"
    root.mkdir()
    monkeypatch.setenv("MIMIC_RUNS", str(root))
    monkeypatch.setattr("mimic.run.listing.ASSETS", tmp_path / "no-assets")
    return root


@pytest.fixture
def fabricate() -> Callable[[Path], None]:
    """Writes the four finished runs of one subject."""
    return write_demo


@pytest.fixture
def distill_run() -> Callable[..., Run]:
    """Writes a distillation in any state."""
    return write_distill


@pytest.fixture
def inspect_run() -> Callable[..., Run]:
    """Writes a finished inspection, with changed settings if wanted."""
    return write_inspect


@pytest.fixture
def sweep_run() -> Callable[..., Run]:
    """Writes a sweep in any state."""
    return write_sweep


@pytest.fixture
def embed_run() -> Callable[..., Run]:
    """Writes a finished embedding."""
    return write_embed


@pytest.fixture
def attention_run() -> Callable[..., Run]:
    """Writes a finished look into the layers."""
    return write_attention
