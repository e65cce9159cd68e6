"""Uploaded files: stored under names we make up, below the runs folder, within a size limit."""

from __future__ import annotations

import contextlib
import re
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from mimic import workspace
from mimic.config import resolve_path
from mimic.errors import MimicError, StorageError
from mimic.run import default_root, storage_errors
from ui import frame, numbers, text

ENCODER_MEGABYTES = 500
"""As the uploader says it: from 501 on it would round to 1 GB."""
TRIGGER_MEGABYTES = 16
NAME_LETTERS = 24
ADDED = re.compile(r"(?<=[A-Za-z0-9])-[0-9a-f]{16}(?=\.\w)")
"""What ``store`` adds to a file's name to make it one of a kind."""
STORED = re.compile(rf"[^:]*/{workspace.UPLOADS}/[A-Za-z0-9_-]*[0-9a-f]{{16}}\.\w+")
"""An upload's path in a setting, alone or as a part of a trigger's text."""
Check = Callable[[Path, str], None]
STRANGE = re.compile(r"[^A-Za-z0-9]+")
"""What is not taken over from a stranger's file name."""
ENCODER_SUFFIXES = ("pth", "pt", "safetensors", "tar", "ckpt", "bin")


def store(content: bytes | memoryview, original_name: str, allowed: tuple[str, ...]) -> Path:
    """Write an upload below the runs folder.

    Of the original name only plain letters and digits are used, with a dash or underscore where
    something stood between them, so that a visitor knows the file again, and its ending if it is an
    allowed one. What the file is gets decided from its bytes.

    Raises:
        StorageError: if it is empty, too much for the runs folder, or cannot be written.
    """
    if not len(content):
        raise StorageError("The uploaded file is empty.", "Choose another file.")
    ending = original_name.rsplit(".", 1)[-1].lower()
    suffix = ending if ending in allowed else allowed[0]
    folder = default_root().resolve() / workspace.UPLOADS
    known = STRANGE.sub(
        lambda found: "_" if set(found[0]) == {"_"} else "-", original_name.rsplit(".", 1)[0]
    )
    parts = [part for part in (known[:NAME_LETTERS].strip("-_"), secrets.token_hex(8)) if part]
    target = folder / f"{'-'.join(parts)}.{suffix}"
    workspace.preflight(default_root().resolve(), len(content))
    with storage_errors():
        folder.mkdir(parents=True, exist_ok=True)
        try:
            target.write_bytes(content)
        except OSError:
            target.unlink(missing_ok=True)  # Half a file would only fill the disk further.
            raise
    return target


def as_given(said: str) -> str:
    """A name or a sentence in which uploads are called as their owner calls them."""
    return ADDED.sub("", said)


@st.cache_resource(show_spinner=False)
def tidy_once(root: str) -> None:
    """Delete forgotten uploads, once per server and runs folder."""
    with contextlib.suppress(MimicError):
        workspace.tidy(Path(root))


def picker(
    label: str,
    key: str,
    *,
    allowed: tuple[str, ...],
    megabytes: int,
    hint: str,
    check: Check | None = None,
) -> str:
    """An uploader that stores each file once and remembers where.

    It takes files of any ending: what a file is, its bytes tell, and a browser would refuse one by
    its ending with a sign that does not say why.

    Args:
        label: its title.
        key: under which the session remembers the file.
        allowed: endings that are kept; the first stands for any other.
        megabytes: the largest size.
        hint: the tooltip.
        check: raises MimicError where a stored file, which the visitor calls by a name, is
            refused; then it is deleted at once.

    Returns:
        The stored file's path, or nothing.
    """
    place = st.container()
    turn = st.session_state.get(f"{key}_turn", 0)
    box = f"{key}_uploader{turn or ''}"
    given: Any = st.file_uploader(
        label, key=box, max_upload_size=megabytes, help=hint,
        on_change=forget_removed, args=(key, box),
    )  # fmt: skip
    known = st.session_state.get(f"{key}_stored")
    if given is not None and (not known or known["id"] != given.file_id):
        st.session_state.pop(f"{key}_stored", None)
        known = None  # Whatever becomes of this file: the one before is no longer meant.
        with frame.errors_as_cards():
            path = store(given.getbuffer(), given.name, allowed)
            known = {
                "id": given.file_id, "path": str(path), "name": given.name, "size": given.size,
                "refused": check and refusal(path, given.name, check),
            }  # fmt: skip
            st.session_state[f"{key}_stored"] = known
    if not known:
        return ""
    if known.get("refused"):
        frame.error_card(*known["refused"])
        return ""
    if not Path(known["path"]).is_file():
        st.caption(
            f"“{text.plain(known['name'])}” is no longer stored: it was refused or deleted. Choose "
            "another."
        )
        return ""
    told = f"{text.plain(known['name'])}, {numbers.size(known['size'])}"
    if given is not None:
        st.caption(f"Stored: {told}")
    else:  # A browser cannot show in its box what it did not just choose.
        place.info(
            f"**In use: {told}**, stored from before. The box below is only for another file.",
            icon=":material/draft:",
        )
    return str(known["path"])


def refusal(path: Path, name: str, check: Check) -> tuple[str, str] | None:
    """Cause and remedy where a stored file is refused, which deletes it."""
    try:
        check(path, name)
    except MimicError as error:
        path.unlink(missing_ok=True)
        return error.cause, error.remedy
    return None


def forget_removed(key: str, box: str) -> None:
    """Where a visitor took the file out of the box: no file is in use. For callbacks."""
    if st.session_state.get(box) is None:
        st.session_state.pop(f"{key}_stored", None)


def in_use(key: str) -> str:
    """The stored file that a picker stands at, without drawing it; nothing where there is none."""
    known = st.session_state.get(f"{key}_stored")
    return str(known["path"]) if known and Path(known["path"]).is_file() else ""


def is_upload(path: Path) -> bool:
    """Whether a path is that of a stored upload that is still there."""
    folder = default_root().resolve() / workspace.UPLOADS
    return path.resolve().parent == folder and path.is_file()


def gone(settings: Mapping[str, Any]) -> list[str]:
    """The uploads that settings name and that are no longer stored, as their owner calls them."""
    named = [
        Path(resolve_path(found))
        for value in settings.values()
        if isinstance(value, str)
        for found in STORED.findall(value)
    ]
    return [as_given(path.name) for path in named if not path.is_file()]


def put_back(key: str, path: Path) -> None:
    """Let a picker stand at an upload stored earlier, its box empty. For callbacks."""
    st.session_state[f"{key}_stored"] = {
        "id": "", "path": str(path), "name": as_given(path.name), "size": path.stat().st_size,
    }  # fmt: skip
    st.session_state[f"{key}_turn"] = st.session_state.get(f"{key}_turn", 0) + 1
