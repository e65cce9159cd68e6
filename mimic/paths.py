"""Typed paths: resolved, below the folders this machine lends, and regular files only.

``MIMIC_ROOTS`` lists folders, separated as in ``PATH``. Where it is set, nothing outside them, the
runs folder and the project's own assets is read; where it is not, the user may name any file.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from mimic.errors import ConfigError, MimicError
from mimic.printable import shown

ROOTS = "MIMIC_ROOTS"
RUNS = "MIMIC_RUNS"
ASSETS = Path(__file__).resolve().parents[1] / "assets"
NON_BLOCKING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


def runs_folder() -> Path:
    """Where runs and uploads are written: ``$MIMIC_RUNS`` or ``runs`` in the current folder."""
    return Path(os.environ.get(RUNS, "runs")).expanduser()


def lent_folders() -> tuple[Path, ...]:
    """The folders that ``MIMIC_ROOTS`` names, resolved; empty where it is not set."""
    named = os.environ.get(ROOTS, "").split(os.pathsep)
    return tuple(Path(name).expanduser().resolve() for name in named if name.strip())


def real(path: Path) -> Path:
    """The path with its links followed, as far as they lead anywhere.

    Unlike ``Path.resolve`` it says nothing of links in a circle: opening such a path is refused.
    """
    return Path(os.path.realpath(path))


def is_below(path: Path, folders: Iterable[Path]) -> bool:
    """Whether a path, its links followed, lies in one of the (resolved) folders."""
    resolved = real(path)
    return any(resolved.is_relative_to(folder) for folder in folders)


def typed_path(text: str) -> Path:
    """The path a user typed, checked against the folders this machine lends.

    Raises:
        ConfigError: if it is no path, or lies outside.
    """
    try:
        path = Path(text).expanduser()
        roots = lent_folders()
        if "\0" in text:
            raise ValueError(text)
        if not roots:
            return path
        resolved = path.resolve()
    except (ValueError, OSError, RuntimeError) as error:
        raise ConfigError("That is no path of a file.", "Check how it is written.") from error
    if not is_below(resolved, (*roots, ASSETS, runs_folder().resolve())):
        raise ConfigError(
            f"'{shown(path.name)}' lies outside the folders that may be read here.",
            f"Move it below one of them, or start the app with another {ROOTS}.",
        )
    return resolved


def is_regular(path: Path) -> bool:
    """Whether a path leads to a regular file; not where the system refuses to say."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # No right to look there, or a name too long.
        return False


def open_regular(path: Path, refusal: type[MimicError]) -> BinaryIO:
    """Open a file for reading, without ever waiting for a pipe or touching a device.

    Args:
        path: the file.
        refusal: what to raise.

    Raises:
        MimicError: a ``refusal``, if it is missing, not readable, or no regular file.
    """
    name = shown(path.name)
    try:
        # The kind is asked before, since opening a device can already do something, and after, of
        # what was really opened.
        if stat.S_ISREG(path.stat().st_mode):
            descriptor = os.open(path, os.O_RDONLY | NON_BLOCKING)
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                return os.fdopen(descriptor, "rb")
            os.close(descriptor)
    except (OSError, ValueError) as error:
        raise refusal(f"'{name}' cannot be opened.", "Check path and permissions.") from error
    raise refusal(f"'{name}' is not a regular file.", "Give a file, not a pipe or a device.")
