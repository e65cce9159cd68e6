"""The encoder's file that the form of the Suspect page stands at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from mimic.config import resolve_path
from mimic.datasets import TORCHVISION
from mimic.errors import MimicError
from ui import data_inputs, uploads
from ui.fields import QUOTES
from ui.inputs import ENCODER_KEY, SOURCE_KEY


def current() -> str:
    """The file, by its path; nothing while there is none."""
    source = st.session_state.get(SOURCE_KEY, "upload")
    if source == "upload":
        return uploads.in_use(ENCODER_KEY)
    named = str(st.session_state.get(f"{ENCODER_KEY}_path") or "").strip().strip(QUOTES)
    return named if source == "path" and located(named).is_file() else ""


def located(path: str) -> Path:
    """Where a path leads; to itself where that cannot be told."""
    try:
        return resolve_path(path)
    except MimicError:
        return Path(path)


def is_at(path: str) -> bool:
    """Whether the form stands at this file."""
    return located(current()) == located(path)


def take_over(fields: dict[str, Any]) -> None:
    """Let the form stand at an inspected encoder and its images. For callbacks.

    Args:
        fields: the subject's settings, see ``mimic.subjects.fields_of``.
    """
    file = located(fields["encoder"])
    uploaded = uploads.is_upload(file)
    st.session_state[SOURCE_KEY] = "upload" if uploaded else "path"
    if uploaded:
        uploads.put_back(ENCODER_KEY, file)
    else:
        st.session_state[f"{ENCODER_KEY}_path"] = fields["encoder"]
    known = fields["data"] in (data_inputs.STAND_IN, *TORCHVISION)
    st.session_state["suspect_data"] = fields["data"] if known else data_inputs.OTHER
    if not known:
        st.session_state["suspect_data_path"] = fields["data"]
