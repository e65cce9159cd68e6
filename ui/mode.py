"""Simple or Expert: whether pages show settings, seeds, devices, raw tables and commands."""

from __future__ import annotations

import streamlit as st

from ui import address

SIMPLE, EXPERT = "simple", "expert"
NAMES = {SIMPLE: "Simple", EXPERT: "Expert"}
DEFAULT = SIMPLE
KEY = "mode"


def choose() -> None:
    """The switch all pages share; it stands in the shell so that its value outlives pages."""
    address.adopt(KEY, NAMES)
    st.session_state.setdefault(KEY, DEFAULT)
    with st.sidebar:
        picked = st.segmented_control(
            "Show",
            list(NAMES),
            required=True,
            format_func=lambda name: NAMES.get(name, name),
            key=KEY,
            persist_state="session",
            help="Simple uses recommended values and plain words. Expert shows and lets you change "
            "every setting, and adds raw tables and the command beside each button.",
        )
    address.keep(KEY, None if picked == DEFAULT else picked)


def is_expert() -> bool:
    """Whether everything is shown."""
    return bool(st.session_state.get(KEY, DEFAULT) == EXPERT)


PLAIN = {"epoch": "round", "epochs": "rounds"}
"""What Simple calls what experts know under another name; one word for a thing in each view."""


def word(term: str) -> str:
    """A term of ``PLAIN`` as the view calls it."""
    return term if is_expert() else PLAIN[term]


def hidden() -> None:
    """The line that stands where a verb's own settings, seed and device are hidden."""
    st.caption(
        "Recommended settings are used. Choose Expert in the sidebar to see and change them."
    )
