"""Which code and libraries made a number, and how the same code is started again."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.metadata
import platform
import subprocess
import sys
from functools import cache
from pathlib import Path

LIBRARIES = ("torch", "torchvision", "numpy", "scikit-learn", "umap-learn", "safetensors")
DECISIVE = ("python", "torch", "torchvision", "numpy")
"""Whose versions a training's numbers depend on bit by bit."""
DISTRIBUTION = "mimic-studio"
OWN_NAMES = {"mimic": "MIMIC Studio", "commit": "MIMIC Studio's commit"}
"""What our own entries among the versions are called: beside libraries, a bare "commit" reads as
one of them."""
GIT_SECONDS = 5
LIBRARY_ROOT = Path(__file__).resolve().parents[1]


def library_versions() -> dict[str, str]:
    """Versions of the libraries that numbers depend on."""
    versions = {}
    for name in LIBRARIES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions[name] = importlib.metadata.version(name)
    return versions


@cache
def own_version() -> dict[str, str]:
    """The library's own version and, in a checkout, the commit; a changed one is marked so."""
    found = {}
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        found["mimic"] = importlib.metadata.version(DISTRIBUTION)
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        commit = git("rev-parse", "--short=12", "HEAD")
        changed = git("status", "--porcelain", "--untracked-files=normal", "--", str(LIBRARY_ROOT))
        found["commit"] = f"{commit} (changed)" if changed else commit
    return found


def git(*words: str) -> str:
    """What git says of the checkout that holds this file; an installed copy has none."""
    if not (LIBRARY_ROOT.parent / ".git").exists():
        raise FileNotFoundError(".git")
    told = subprocess.run(
        ["git", "-C", str(LIBRARY_ROOT), *words],
        capture_output=True, text=True, check=True, timeout=GIT_SECONDS,
    )  # fmt: skip
    return told.stdout.strip()


@cache
def code_version() -> str:
    """SHA-256 over the library's source files, as they were when this process asked first."""
    digest = hashlib.sha256()
    for path in sorted(LIBRARY_ROOT.rglob("*.py")):
        digest.update(path.relative_to(LIBRARY_ROOT).as_posix().encode() + b"\0")
        digest.update(path.read_bytes() + b"\0")
    return digest.hexdigest()


def all_versions() -> dict[str, str]:
    """Versions of Python, the libraries and our own code, as a run keeps them."""
    return {"python": platform.python_version(), **library_versions(), **own_version()}


def called(name: str) -> str:
    """What an entry of a run's versions is called where a person reads it."""
    return OWN_NAMES.get(name, name)


def versions_used() -> dict[str, str]:
    """Versions that the bits of a training depend on: Python's, the libraries', the code's."""
    known = {"python": platform.python_version(), **library_versions()}
    return {**{name: known[name] for name in DECISIVE if name in known}, "mimic": code_version()}


def python_command(*arguments: str) -> list[str]:
    """A command line that runs this library's CLI with the same interpreter."""
    return [sys.executable, "-m", "mimic", *arguments]
