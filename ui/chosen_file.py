"""The encoder's file that the form of the Suspect page stands at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from mimic.config import resolve_path
from mimic.datasets import TORCHVISION
from mimic.errors import MimicError
from mimic.paths import is_regular
from mimic.subjects import DEFAULT
from ui import data_inputs, target_input, uploads
from ui.fields import QUOTES
from ui.inputs import ENCODER_KEY, SOURCE_KEY, TWIN_FILE_KEY, TWIN_KEY


def current() -> str:
    """The file, by its path; nothing while there is none."""
    source = st.session_state.get(SOURCE_KEY, "upload")
    if source == "upload":
        return uploads.in_use(ENCODER_KEY)
    named = str(st.session_state.get(f"{ENCODER_KEY}_path") or "").strip().strip(QUOTES)
    return named if source == "path" and is_regular(located(named)) else ""


def located(path: str) -> Path:
    """Where a path leads; to itself where that cannot be told."""
    try:
        return resolve_path(path)
    except MimicError:
        return Path(path)


def is_at(path: str) -> bool:
    """Whether the form stands at this file."""
    return located(current()) == located(path)


PLAIN = ("normalization", "max_pool")
MAY_BE_EMPTY = ("input_size", "heads", "image_size")
"""Settings whose widgets are keyed by their names."""


def take_over(fields: dict[str, Any]) -> None:
    """Let the form stand at an inspected encoder, all its settings but the trigger. For callbacks.

    What the form still held of another encoder would be taken for this one's: its clean twin would
    give a floor that nobody sees being chosen.

    Args:
        fields: the subject's settings, see ``mimic.subjects.fields_of``.
    """
    put_file(fields["encoder"], SOURCE_KEY, ENCODER_KEY)
    if fields.get("clean_twin"):
        put_file(fields["clean_twin"], TWIN_KEY, TWIN_FILE_KEY)
    else:
        st.session_state[TWIN_KEY] = "none"
    put_data(fields["data"], "suspect_data")
    put_data(fields.get("downstream", ""), "suspect_downstream")
    for name in PLAIN:
        st.session_state[f"suspect_{name}"] = fields.get(name, getattr(DEFAULT, name))
    for name in MAY_BE_EMPTY:
        st.session_state[f"suspect_{name}"] = fields.get(name) or None
    target = fields.get("target_class", target_input.UNKNOWN)
    st.session_state[target_input.KEY] = target  # One of the two widgets is shown, by the images.
    st.session_state[target_input.NUMBER_KEY] = None if target == target_input.UNKNOWN else target


def put_file(path: str, source_key: str, key: str) -> None:
    """Let the widgets that ask for an encoder stand at a file."""
    file = located(path)
    uploaded = uploads.is_upload(file)
    st.session_state[source_key] = "upload" if uploaded else "path"
    if uploaded:
        uploads.put_back(key, file)
    else:
        st.session_state[f"{key}_path"] = path


def put_data(data: str, key: str) -> None:
    """Let the widgets that ask for images stand at a set; "" stands for the same as the others."""
    known = data in ("", data_inputs.STAND_IN, *TORCHVISION)
    st.session_state[key] = data if known else data_inputs.OTHER
    if not known:
        st.session_state[f"{key}_path"] = data
