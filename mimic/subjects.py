"""Subjects: a suspect encoder with its data, trigger and clean twin, described by one JSON file."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from mimic.config import ASSET_PREFIX, ASSETS, VERB_CONFIGS, SubjectConfig, resolve_path
from mimic.errors import ConfigError

FIELDS = tuple(
    f.name
    for f in dataclasses.fields(SubjectConfig)
    if f.name not in {"seed", "device", "precision", "data_root", "download", "subject"}
)
"""The settings that say which subject is meant, and that its runs share."""


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


DISTILLING = ("distill", "sweep")
"""Verbs that distil, and so take over what suits a subject."""


def recommended_distillation(name: str, kind: str = "distill") -> dict[str, Any]:
    """Settings of a verb that suit a built-in subject, beside its own; empty for other subjects.

    Args:
        name: the subject.
        kind: the verb; those that do not distil have no such settings.
    """
    if kind not in DISTILLING:
        return {}
    known = {f.name for f in dataclasses.fields(VERB_CONFIGS[kind])}
    suited = builtin_subjects().get(name, {}).get("distill", {})
    return {key: value for key, value in suited.items() if key in known}


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
            f"There is no subject '{name}'.",
            f"Built in are {', '.join(builtin_subjects())}; or give the path of a subject.json.",
        ) from error
    if not isinstance(described, dict):
        raise ConfigError(f"'{path.name}' is no subject.", "It must hold one JSON object.")
    fields = {k: v for k, v in described.items() if k not in {"title", "description", "distill"}}
    unknown = sorted(set(fields) - set(FIELDS))
    if unknown:
        raise ConfigError(
            f"The subject sets {', '.join(unknown)}, which is unknown.",
            f"Known are {', '.join(FIELDS)}.",
        )
    return fields
