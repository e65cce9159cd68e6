"""Asking for the class that a trigger leads to: by name where classes are known, or not at all."""

from __future__ import annotations

import streamlit as st

from mimic.config import InspectConfig, SubjectConfig
from ui import data_inputs, text
from ui.fields import help_of, whole_or_empty

UNKNOWN = SubjectConfig().target_class
"""What the library takes for a class that is to be found."""
KEY = "suspect_target"
NUMBER_KEY = f"{KEY}_number"
LABEL = "Class the trigger leads to (optional)"


def target(trigger: str, data: str) -> int:
    """The class by its number, or the sign that it is not known.

    Args:
        trigger: the trigger's text; without one there is nothing to ask.
        data: the labelled images, by name or path.
    """
    if not trigger:
        return UNKNOWN
    names = data_inputs.class_names(data)
    if not names:
        return whole_or_empty(InspectConfig, "target_class", LABEL, (0, 100_000), NUMBER_KEY)
    options = [UNKNOWN, *range(len(names))]
    if st.session_state.get(KEY) not in (None, *options):
        del st.session_state[KEY]
    picked = st.selectbox(
        LABEL,
        options,
        format_func=lambda k: shown(k, names),
        key=KEY,
        persist_state="session",
        help=f"{help_of(InspectConfig, 'target_class')}. Not known: the most frequent answer to "
        "triggered images is taken.",
    )
    return UNKNOWN if picked is None else int(picked)


def shown(label: int, names: tuple[str, ...]) -> str:
    """A class by name, with its number where the two differ."""
    if not 0 <= label < len(names):
        return "not known: find it by trying"
    name = text.bare(names[label], 40)
    return name if name == str(label) else f"{name} ({label})"
