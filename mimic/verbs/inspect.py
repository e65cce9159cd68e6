"""``inspect``: what the file holds, whether the encoder works, and what the trigger does to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.nn import functional

from mimic import answers
from mimic.activations import record_activations
from mimic.checkpoint import Choice, EncoderFile
from mimic.config import InspectConfig
from mimic.datasets import ImageSet
from mimic.encoder import Encoder, new_network
from mimic.evaluation import Judge, extract_features
from mimic.evaluation.judge import Prediction
from mimic.preprocessing import Preprocessing
from mimic.run import portable
from mimic.verbs.work import Subject, Work

HEALTH_IMAGES = 2_000
CONSTANT = 1e-6
"""Features that vary less over images tell nothing."""
COLLAPSED = 0.01
"""Below this spread all images look alike to the encoder."""
TRIGGER_IMAGES = 256


def inspect(work: Work[InspectConfig]) -> dict[str, Any]:
    """Recognise the encoder, check its health, and score it beside its clean twin."""
    subject = Subject(work)
    work.step(0.05, "reading encoder, images and trigger")
    trigger, test = subject.trigger, subject.test  # One that does not fit fails before any work.
    variants = settle_max_pool(work, subject)
    teacher = subject.teacher
    work.step(0.3, "checking features")
    health = check_health(teacher, subject, work.device)
    work.step(0.5, "scoring the suspect")
    judge = subject.judge()
    scores: dict[str, Any] = {"teacher": None, "clean_twin": None}
    prediction = None
    if judge is not None:
        prediction = judge.predict(teacher.encoder, teacher.preprocessing)
        scores["teacher"] = judge.score(prediction, choices=subject.choices)
        work.step(0.75, "scoring the clean twin")
        floor = None
        if subject.twin is not None:
            floor = judge.predict(subject.twin.encoder, subject.twin.preprocessing)
            scores["clean_twin"] = judge.score(floor)
        found = {"teacher": prediction, "clean_twin": floor}
        work.run.write_arrays(answers.NAME, **judge.answers(found))
    write_examples(work, subject, prediction)
    target = subject.target if judge is not None else None
    return {
        "encoder": describe_encoder(work, teacher, test),
        "variants": variants,
        "data": subject.describe(subject.data, work.images(work.config.data, "test")),
        "downstream": subject.describe(subject.train, test),
        "trigger": None if trigger is None else trigger.report(test.images[:TRIGGER_IMAGES]),
        "target_class": target,
        "target_found": target is not None and subject.target_found,
        "target_name": None if target is None else test.class_name(target),
        "health": health,
        "scores": scores,
        "seconds": work.seconds,
    }


def describe_encoder(
    work: Work[InspectConfig], loaded: EncoderFile, test: ImageSet
) -> dict[str, Any]:
    """File facts, architecture and layers with their shapes."""
    encoder, architecture = loaded.encoder, loaded.encoder.architecture
    names = encoder.layer_names()
    with torch.no_grad(), record_activations(encoder, names) as recorded:
        encoder(loaded.preprocessing(test.images[:1], work.device))
    layers = []
    for name in names:
        _, channels, height, width = recorded[name].shape
        layers.append(
            {
                "name": name,
                "channels": channels,
                "height": height,
                "width": width,
                "parameters": encoder.layer_parameters(name),
            }
        )
    path = work.located(work.config.encoder)
    return {
        "path": portable(path),
        "sha256": loaded.file.sha256,
        "bytes": loaded.file.bytes,
        "layout": loaded.summary,
        "family": {"id": loaded.family.id, "title": loaded.family.title},
        "match": loaded.match.to_json(),
        "architecture": architecture.name,
        "width": architecture.width,
        "stem": architecture.stem,
        "feature_dim": architecture.feature_dim,
        "parameters": sum(p.numel() for p in encoder.parameters()),
        "input_size": loaded.preprocessing.size_for(test.size[0]),
        "input_size_source": loaded.size.source,
        "normalization": loaded.normalization.to_json(),
        "max_pool": loaded.max_pool.to_json(),
        "layers": layers,
    }


def settle_max_pool(work: Work[InspectConfig], subject: Subject) -> list[dict[str, Any]]:
    """Where no one knows whether the stem pools: score the encoder with and without, keep the best.

    Returns:
        Both variants with their kNN accuracy, empty where there is no question; the subject's
        encoder is the better variant from here on.
    """
    if not subject.teacher.pool_is_unclear or not subject.is_labelled:
        return []
    work.step(0.08, "trying the encoder with and without a max-pool")
    train, test = (
        images.sample(HEALTH_IMAGES, seed=seed)
        for seed, images in enumerate((subject.train, subject.test))
    )
    judge = Judge(train, test, None, None, work.device)
    tried: dict[str, tuple[float, EncoderFile]] = {}
    for answer in ("no", "yes"):
        loaded = work.encoder("encoder", work.config.encoder, max_pool=answer)
        accuracy = judge(loaded.encoder, loaded.preprocessing, probe="knn")["accuracy"]
        tried[answer] = (float(accuracy), loaded)
    best = max(tried, key=lambda answer: tried[answer][0])
    source = "the better of both by nearest neighbours; the file does not say"
    chosen = tried[best][1]
    chosen.max_pool = Choice(best == "yes", source)
    work.encoders["encoder"]["max_pool"] = chosen.max_pool.to_json()
    subject.teacher = chosen
    return [
        {"max_pool": answer, "knn_accuracy": accuracy, "chosen": answer == best}
        for answer, (accuracy, _) in tried.items()
    ]


def check_health(loaded: EncoderFile, subject: Subject, device: torch.device) -> dict[str, Any]:
    """Whether the encoder sees anything: kNN accuracy and spread, beside a random network's."""
    train = subject.train.sample(HEALTH_IMAGES, seed=0)
    test = subject.test.sample(HEALTH_IMAGES, seed=1)
    random, _ = new_network(loaded.encoder.architecture, device, seed=0)
    health: dict[str, Any] = {"warnings": [], "faults": [], "test_images": len(test)}
    raw = torch.empty(0)
    for prefix, encoder in (("random_", random), ("", loaded.encoder)):
        unit, raw = unit_features(encoder, test.images, loaded.preprocessing, device)
        # 1 - mean cosine of two images; 0 means every image gets the same features.
        health[f"{prefix}feature_spread"] = float(1 - unit.mean(0).pow(2).sum())
        health[f"{prefix}knn_accuracy"] = None
        if subject.is_labelled and bool(torch.isfinite(raw).all()):
            judge = Judge(train, test, None, None, device)
            health[f"{prefix}knn_accuracy"] = judge(encoder, loaded.preprocessing, probe="knn")[
                "accuracy"
            ]
    finite = torch.isfinite(raw)
    constant = raw.std(0) < CONSTANT
    health["feature_dim"] = raw.shape[1]
    health["dead_features"] = int((constant & (raw.abs().amax(0) < CONSTANT)).sum())
    health["constant_features"] = int(constant.sum()) - health["dead_features"]
    health["non_finite_features"] = int((~finite).any(0).sum())
    judge_health(health)
    return health


def judge_health(health: dict[str, Any]) -> None:
    """Put what the numbers mean into words: ``faults`` for what is broken, ``warnings`` for doubts.

    Args:
        health: the numbers; gets the sentences.
    """
    faults, warnings = health["faults"], health["warnings"]
    count = health["feature_dim"]
    if health["non_finite_features"]:
        faults.append(
            f"{health['non_finite_features']} of {count} features are not finite numbers: the "
            "encoder is broken."
        )
        health["feature_spread"] = None
        return
    if health["feature_spread"] < COLLAPSED:
        faults.append("All images get nearly the same features: the encoder collapsed.")
    still = health["dead_features"] + health["constant_features"]
    if still >= count / 2:
        faults.append(f"{still} of {count} features are the same for every image.")
    elif still:
        warnings.append(
            f"{still} of {count} features are the same for every image ({health['dead_features']} "
            "of them zero)."
        )
    knn, random_knn = health["knn_accuracy"], health["random_knn_accuracy"]
    if knn is not None and random_knn is not None and knn <= random_knn:
        warnings.append(
            "It classifies no better than an untrained network; check normalisation, input size "
            "and data."
        )


def unit_features(
    encoder: Encoder, images: np.ndarray, preprocessing: Preprocessing, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Unit-length and raw features (N, D)."""
    raw = extract_features(encoder, images, preprocessing, device=device)
    return functional.normalize(raw, dim=1), raw


def write_examples(
    work: Work[InspectConfig], subject: Subject, prediction: Prediction | None
) -> None:
    """Test images with and without the trigger, and what each is taken for."""
    chosen = subject.examples()
    unknown = np.full(len(chosen), -1)
    none = np.zeros(len(chosen), dtype=np.float32)
    labels = subject.test.labels
    work.run.write_arrays(
        "examples",
        **subject.pictures(chosen),
        labels=unknown if labels is None else labels[chosen],
        predicted_clean=unknown if prediction is None else prediction.clean[chosen],
        predicted_stamped=unknown if prediction is None else prediction.stamped[chosen],
        confidence_clean=none if prediction is None else prediction.clean_confidence[chosen],
        confidence_stamped=none if prediction is None else prediction.stamped_confidence[chosen],
    )
