"""Files by name instead of by place: a report names no folder of the machine it was made on."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from mimic.config import ASSET_PREFIX, PUBLIC_PREFIX

SETTINGS = (
    "subject", "encoder", "clean_twin", "data", "downstream", "trigger", "student", "data_root",
    "information",
)  # fmt: skip
"""Settings that may hold a path."""
NOT_OURS = (ASSET_PREFIX, PUBLIC_PREFIX)
"""Names that mean the same on every machine."""
KIND = re.compile(r"^([a-z-]{2,}:)(.*)$", re.DOTALL)
"""A trigger's word before its file, such as ``patch:``; a drive has one letter."""
QUOTED = re.compile(r"(['\"“‘])(?:~|[A-Za-z]:)?[/\\][^'\"”’\n]*[/\\]([^'\"”’/\\\n]+)(?=['\"”’])")
PATH = re.compile(r"(?<![\w:/.~<])~?/(?:[^\s/'\"“”‘’()<>]+/)+")


def name_only(value: str) -> str:
    """A setting without its folders: ``/home/a/x.pth`` is ``x.pth``, also behind ``patch:``."""
    found = KIND.match(value)
    kind, rest = found.groups() if found else ("", value)
    if value.startswith(NOT_OURS) or rest.startswith(NOT_OURS):
        return value
    return kind + (re.split(r"[/\\]", rest.rstrip("/\\"))[-1] or rest)


def without_places(told: str) -> str:
    """A sentence whose paths are cut down to their files' names."""
    return PATH.sub("", QUOTED.sub(r"\1\2", told))


def config(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with files by name."""
    return {
        key: name_only(value) if key in SETTINGS and isinstance(value, str) else value
        for key, value in settings.items()
    }


def command(line: str) -> str:
    """A command with files by name."""
    flags = {f"--{name.replace('_', '-')}" for name in SETTINGS}
    words = shlex.split(line)
    for place in range(1, len(words)):
        if words[place - 1] in flags:
            words[place] = name_only(words[place])
    return shlex.join(words)


def inputs(noted: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """What a run read, by name, with how many images and the SHA-256."""
    for key, found in noted.items():
        path = str(found.get("path") or "")
        yield {
            "input": name_only(key),
            "file": name_only(path),
            "images": found.get("images"),
            "SHA-256": found.get("sha256"),
        }


def placeholders(noted: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Bare names that stand for a path on the reader's machine, with the SHA-256 of what is meant.

    Args:
        noted: a run's inputs: files have a path, data sets are named by it.
    """
    found = {}
    for key, about in noted.items():
        place = str(about.get("path") or re.sub(r" \(\w+\)$", "", key))
        if name_only(place) != place:
            label = name_only(place) if about.get("path") else name_only(key)
            found[label] = str(about.get("sha256") or "")
    return found
