"""Subjects: a suspect encoder with its data, trigger and clean twin, described by one JSON file."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any, cast

from mimic.config import (
    ASSET_PREFIX,
    ASSETS,
    VERB_CONFIGS,
    CleanSubsetConfig,
    DistillConfig,
    SubjectConfig,
    SweepConfig,
    resolve_path,
)
from mimic.errors import ConfigError, MimicError
from mimic.printable import shown
from mimic.run import Run
from mimic.training_length import suited_epochs

FIELDS = tuple(
    f.name
    for f in dataclasses.fields(SubjectConfig)
    if f.name not in {"seed", "device", "precision", "data_root", "download", "subject"}
)
"""The settings that say which subject is meant, and that its runs share."""
IDENTITY = tuple(f for f in FIELDS if f not in {"probe_images", "test_images"})
DEFAULT = SubjectConfig()


def builtin_subjects() -> dict[str, dict[str, Any]]:
    """The subjects in ``assets/``, by name, as their JSON files describe them."""
    return {
        path.parent.name: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(ASSETS.glob("*/subject.json"))
    }


def subject_words(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """What to call a subject: the built-in one's title, or its encoder's file name and its data.

    Args:
        fields: settings that name it; those of verbs without a subject give what they have.
    """
    for described in builtin_subjects().values():
        if described.get("encoder") == fields.get("encoder"):
            return (str(described.get("title", "Built-in subject")),)
    name = str(fields.get("encoder", "")).rsplit("/", 1)[-1].removeprefix(ASSET_PREFIX)
    return tuple(str(word) for word in (name, fields.get("data", "")) if word)


FEWEST_CLEAN = 50
"""Clean images; no cleaning with fewer was measured."""
DISTILLING = ("distill", "sweep")
"""Verbs that distil, and so take over what suits a subject."""


def recommended_distillation(
    name: str, kind: str = "distill", *, images: int = 0
) -> dict[str, Any]:
    """Settings of a verb that suit a subject, beside its own.

    What was measured for a built-in subject; for any other, a length by the number of its clean
    images, see ``mimic.training_length``.

    Args:
        name: the subject; empty where it is none of the built-in ones.
        kind: the verb; those that do not distil have no such settings.
        images: how many images the clean ones are drawn from; 0 where that is unknown, and then
            nothing is recommended for an encoder of one's own.
    """
    if kind not in DISTILLING:
        return {}
    config = cast(type[DistillConfig] | type[SweepConfig], VERB_CONFIGS[kind])
    known = {f.name for f in dataclasses.fields(config)}
    suited = builtin_subjects().get(name, {}).get("distill", {})
    if not suited and images:
        usual = config(clean_fraction=clean_share(images))
        suited = {
            "clean_fraction": usual.clean_fraction,
            "epochs": suited_epochs(max(1, usual.clean_images(images)), usual.batch_size),
        }
    return {key: value for key, value in suited.items() if key in known}


def clean_share(images: int) -> float:
    """The share of the images that is taken as the defender's clean ones.

    The usual share, or more of a small set: a student cannot learn from a handful.
    """
    usual = CleanSubsetConfig().clean_fraction
    return max(usual, min(1.0, round(FEWEST_CLEAN / max(1, images), 4)))


def subject_fields(name: str) -> dict[str, Any]:
    """Settings of a subject, ready for a ``SubjectConfig``.

    Args:
        name: a built-in subject's name, or the path of a ``subject.json``.

    Raises:
        ConfigError: if there is no such subject or its file is malformed.
    """
    path = resolve_path(name)
    if (ASSETS / name / "subject.json").is_file() and "/" not in name:
        path = resolve_path(f"{ASSET_PREFIX}{name}/subject.json")
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"There is no subject '{shown(name)}'.",
            f"Built in are {', '.join(builtin_subjects())}; or give the path of a subject.json.",
        ) from error
    if not isinstance(described, dict):
        raise ConfigError(f"'{shown(path.name)}' is no subject.", "It must hold one JSON object.")
    fields = {k: v for k, v in described.items() if k not in {"title", "description", "distill"}}
    unknown = sorted(set(fields) - set(FIELDS))
    if unknown:
        raise ConfigError(
            f"The subject sets {', '.join(unknown)}, which is unknown.",
            f"Known are {', '.join(FIELDS)}.",
        )
    return fields


def fields_of(run: Run) -> dict[str, Any]:
    """The subject's settings as a run has them, a built-in subject's name resolved."""
    try:
        stored = run.about()["config"]
        named = stored.get("subject", "")
        described = subject_fields(named) if named else {}
    except (MimicError, KeyError):
        return {}
    own = {k: stored[k] for k in FIELDS if k in stored}
    return {k: own[k] if own[k] != getattr(DEFAULT, k) else described.get(k, own[k]) for k in own}


def settled(run: Run, result: Mapping[str, Any]) -> dict[str, Any]:
    """The inspection's settings, with what it found out by trying: whether the stem pools."""
    fields = fields_of(run)
    chosen = next((v for v in result.get("variants", []) if v["chosen"]), None)
    return fields if chosen is None else {**fields, "max_pool": chosen["max_pool"]}


def identity(fields: Mapping[str, Any]) -> tuple[Any, ...]:
    """What makes two runs speak of the same subject."""
    filled = {**fields, "downstream": fields.get("downstream") or fields.get("data")}
    # Runs of before a setting existed ran as its default says.
    return tuple(filled.get(name, getattr(DEFAULT, name)) for name in IDENTITY)


def student_id(run: Run) -> str:
    """The id of the run whose student was looked at, or a file's name; nothing for the suspect."""
    return str(run.about()["config"].get("student") or "").rstrip("/").rsplit("/", 1)[-1]
