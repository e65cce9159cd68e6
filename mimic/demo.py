"""The demo: a small encoder trained on real digits, backdoored, and cleaned."""

from __future__ import annotations

import dataclasses
import json
import shutil
import time
from pathlib import Path
from statistics import fmean
from typing import Any

from mimic.config import (
    ASSET_PREFIX,
    ASSETS,
    AttackConfig,
    AttentionConfig,
    DistillConfig,
    EmbedConfig,
    EvaluateConfig,
    InformationConfig,
    InspectConfig,
    PlacementConfig,
    PretrainConfig,
    SweepConfig,
)
from mimic.errors import ConfigError
from mimic.run import Run
from mimic.run.origins import INSPECTED
from mimic.subjects import subject_fields
from mimic.verbs import perform

SUBJECT = "demo"
SQUARE = "square:10:10:5"
TARGET = 1
DISTILL: dict[str, Any] = {"epochs": 100}
"""58 images make one update per epoch, so the demo needs more epochs than a larger set; but not
many more: a student that trains on brings the backdoor back (README, "How long")."""
SWEEP_EPOCHS = 200
"""Long enough for the scale and the layers to tell apart."""
SWEEP_WORKERS = 2
INSPECTION = "demo-inspect"
LENS_IMAGES = 4
"""Images whose attention maps ship with the project: each costs 5 kB."""
PROBES = ("linear", "knn", "mlp")
KEPT_FILES = (
    "run.json", "status.json", "metrics.jsonl", "result.json", "plan.json",
    "student.safetensors", "student.pth", "MODEL_CARD.md", "arrays",
)  # fmt: skip


def show(*, seeds: int, device: str, root: Path) -> dict[str, Any]:
    """Measure the demo encoder, clean it with several students, and tell what came out.

    Args:
        seeds: students to distil; each also draws its own clean images.
        device: where to compute.
        root: folder of runs.

    Returns:
        Means over the seeds, the scores of suspect, clean twin and each seed's student with their
        intervals, information and weights per layer as the first seed measured them.
    """
    if seeds < 1:
        raise ConfigError(f"{seeds} seeds leave nothing to distil.", "Choose at least 1.")
    started = time.perf_counter()
    fields = {**subject_fields(SUBJECT), "device": device}
    runs = []
    for seed in range(seeds):
        config = DistillConfig(**fields, **DISTILL, seed=seed)  # measures on its own images
        runs.append(perform("distill", config, root=root))
    results = [run.result() or {} for run in runs]

    def mean(who: str, what: str) -> float:
        return fmean(result["scores"][who][what] for result in results)

    return {
        "teacher_accuracy": mean("teacher", "accuracy"),
        "student_accuracy": mean("student", "accuracy"),
        "teacher_asr": mean("teacher", "asr"),
        "student_asr": mean("student", "asr"),
        "student_stamped_accuracy": mean("student", "stamped_accuracy"),
        "floor_asr": mean("clean_twin", "asr"),
        "teacher_asr_all": mean("teacher", "asr_all"),
        "student_asr_all": mean("student", "asr_all"),
        "floor_asr_all": mean("clean_twin", "asr_all"),
        "teacher": results[0]["scores"]["teacher"],
        "clean_twin": results[0]["scores"]["clean_twin"],
        "clean_images": results[0]["clean_images"],
        "clean_fraction": results[0]["clean_fraction"],
        "seeds": [
            {
                "seed": seed,
                "run": run.id,
                **result["scores"]["student"],
                "seconds": result["seconds"],
            }
            for seed, (run, result) in enumerate(zip(runs, results, strict=True))
        ],
        "information": results[0]["information"],
        "weights": results[0]["weights"],
        "seconds": time.perf_counter() - started,
    }


def build(folder: Path, *, device: str, root: Path, keep_encoders: bool = False) -> dict[str, Any]:
    """Train the demo anew: clean encoder, backdoored twin, trigger, and a run of each verb.

    Args:
        folder: where the demo goes; ``assets/demo`` is the one the app shows.
        device: where to compute.
        root: folder of runs for the trainings.
        keep_encoders: renew only the runs, with the encoders and the trigger in ``folder``.

    Raises:
        ConfigError: if encoders are to be kept and the folder holds none.
    """
    started = time.perf_counter()
    if not keep_encoders:
        build_encoders(folder, device=device, root=root)
    try:
        described = json.loads((folder / "subject.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            f"'{folder}' holds no demo whose encoders could be kept.",
            "Leave --keep-encoders out, or name the folder of a demo.",
        ) from error
    subject = {k: v for k, v in described.items() if k not in ("title", "description", "distill")}
    build_runs(folder, {"subject": SUBJECT, "device": device, **subject}, root=root)
    return {"folder": str(folder), "seconds": time.perf_counter() - started}


def build_encoders(folder: Path, *, device: str, root: Path) -> None:
    """Train the clean encoder and the backdoored one, and describe them as a subject."""
    clean = perform("pretrain", PretrainConfig(data="digits", device=device), root=root)
    attacked = perform(
        "attack",
        AttackConfig(
            encoder=str(clean.directory / "encoder.safetensors"),
            data="digits",
            trigger=SQUARE,
            target_class=TARGET,
            device=device,
        ),
        root=root,
    )
    folder.mkdir(parents=True, exist_ok=True)
    normalization = (clean.result() or {})["normalization"]
    copies = {
        "clean_twin.safetensors": clean.directory / "encoder.safetensors",
        "teacher.pth": attacked.directory / "encoder.pth",
        "trigger.npz": attacked.directory / "trigger.npz",
        "reference.npz": attacked.directory / "arrays" / "reference.npz",
    }
    for name, source in copies.items():
        shutil.copyfile(source, folder / name)
    at = f"{ASSET_PREFIX}{SUBJECT}/" if folder.resolve() == ASSETS / SUBJECT else f"{folder}/"
    join = ",".join
    subject = {
        "encoder": f"{at}teacher.pth",
        "clean_twin": f"{at}clean_twin.safetensors",
        "data": "digits",
        "trigger": f"{at}trigger.npz",
        "target_class": TARGET,
        "normalization": "/".join(join(map(str, normalization[key])) for key in ("mean", "std")),
    }
    described = {
        "title": "Demo: handwritten digits",
        "description": "A small ResNet trained on real digits and backdoored with BadEncoder: "
        f"a white square turns every digit into a {TARGET}.",
        **subject,
        "distill": DISTILL,
    }
    (folder / "subject.json").write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")


def build_runs(folder: Path, fields: dict[str, Any], *, root: Path) -> None:
    """Perform every verb the pages show and put the finished runs into ``folder``."""
    shutil.rmtree(folder / "runs", ignore_errors=True)
    networks = ("teacher", "random", "clean_twin")
    bundle(folder, perform("inspect", InspectConfig(**fields), root=root), INSPECTION)
    bundle(folder, perform("placement", PlacementConfig(**fields), root=root), "demo-placement")
    measured = bundle(
        folder,
        perform("information", InformationConfig(**fields, networks=networks), root=root),
        "demo-information",
    )
    config = DistillConfig(**fields, **DISTILL, information=str(measured.directory))
    distilled = bundle(folder, perform("distill", config, root=root), "demo-distill")
    place_config(distilled, information="demo-information")
    embedded = perform("embed", EmbedConfig(**fields, student=str(distilled.directory)), root=root)
    place_config(bundle(folder, embedded, "demo-embed"), student="demo-distill")
    student = str(distilled.directory)
    looking = AttentionConfig(**fields, student=student, images=LENS_IMAGES)
    looked = bundle(folder, perform("attention", looking, root=root), "demo-attention")
    place_config(looked, student="demo-distill")
    probed = EvaluateConfig(**fields, student=student, probes=PROBES)
    scored = bundle(folder, perform("evaluate", probed, root=root), "demo-evaluate")
    place_config(scored, student="demo-distill")
    swept = SweepConfig(**fields, epochs=SWEEP_EPOCHS, workers=SWEEP_WORKERS)
    bundle(folder, perform("sweep", swept, root=root), "demo-sweep")


def bundle(folder: Path, run: Run, name: str) -> Run:
    """Copy what the pages need of a finished run into the demo, under a fixed id."""
    target = folder / "runs" / name
    target.mkdir(parents=True)
    for kept in KEPT_FILES:
        source = run.directory / kept
        if source.is_dir():
            shutil.copytree(source, target / kept)
        elif source.is_file():
            shutil.copyfile(source, target / kept)
    bundled = Run(target)
    about = {**bundled.about(), "id": name}
    for known in about["inputs"].values():
        if INSPECTED in known:  # By the id that this inspection has here.
            known[INSPECTED] = INSPECTION
    bundled.write_json("run.json", about)
    status = dataclasses.replace(bundled.status(), pid=0, pid_created=0.0)
    bundled.write_status(status)
    return bundled


def place_config(run: Run, **values: str) -> None:
    """Replace settings that name a directory of the building machine by bundled ids."""
    about = run.about()
    about["config"].update(values)
    about["inputs"].pop("student", None)
    run.write_json("run.json", about)
