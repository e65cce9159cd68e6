"""Which code and libraries made a number, and how the same code is started again."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import platform
import sys
from functools import cache
from pathlib import Path

LIBRARIES = ("torch", "torchvision", "numpy", "scikit-learn", "umap-learn", "safetensors")
DECISIVE = ("python", "torch", "torchvision", "numpy")
"""Whose versions a training's numbers depend on bit by bit."""
LIBRARY_ROOT = Path(__file__).resolve().parents[1]


def library_versions() -> dict[str, str]:
    """Versions of the libraries that numbers depend on."""
    versions = {}
    for name in LIBRARIES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return versions


@cache
def code_version() -> str:
    """SHA-256 over the library's source files, as they were when this process asked first."""
    digest = hashlib.sha256()
    for path in sorted(LIBRARY_ROOT.rglob("*.py")):
        digest.update(path.relative_to(LIBRARY_ROOT).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def versions_used() -> dict[str, str]:
    """Versions that the bits of a training depend on: Python's, the libraries', the code's."""
    known = {"python": platform.python_version(), **library_versions()}
    return {**{name: known[name] for name in DECISIVE if name in known}, "mimic": code_version()}


def python_command(*arguments: str) -> list[str]:
    """A command line that runs this library's CLI with the same interpreter."""
    return [sys.executable, "-m", "mimic", *arguments]
