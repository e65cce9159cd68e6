"""The verdict card: what was found, how sure, what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import streamlit as st

from mimic.verdict import Verdict, of_run
from ui import glossary, text
from ui.subject import Subject

Colour = Literal["red", "green", "orange", "gray"]
LOOKS: dict[str, tuple[Colour, str]] = {
    "backdoor": ("red", ":material/gpp_bad:"),
    "remains": ("red", ":material/gpp_bad:"),
    "broken": ("red", ":material/heart_broken:"),
    "trace": ("orange", ":material/gpp_maybe:"),
    "unknown": ("orange", ":material/help:"),
    "nothing": ("green", ":material/verified_user:"),
    "weak": ("orange", ":material/battery_low:"),
    "not_seen": ("green", ":material/verified_user:"),
    "clean": ("green", ":material/verified_user:"),
}
"""Colour and sign of each level; the sign and the words tell it without the colour."""


def on_suspect(subject: Subject) -> Verdict:
    """The verdict on a subject, with its newest measurement of the layers as a second sign."""
    measured = subject.latest("information")
    return of_run(subject.run, measured.result() if measured else None)


def card(found: Verdict, about: str, do: Callable[[], None] | None = None) -> None:
    """Draw a verdict.

    Args:
        found: the verdict.
        about: what it is on, safe to show.
        do: draws below the advice what may be pressed to follow it.
    """
    colour, icon = LOOKS[found.level]
    with st.container(border=True):
        st.badge(found.title, icon=icon, color=colour)
        st.header(
            text.sentence(found.headline),
            anchor=False,
            help=glossary.help_for(
                "backdoor",
                "trigger",
                "attack success",
                "floor",
                "95% interval",
                "layer",
                "classifier",
            ),
        )
        st.caption(f"Verdict on {about}")
        left, right = st.columns([3, 2], gap="large")
        with left:
            st.markdown("**What was found**\n" + bullets(found.reasons))
        with right:
            st.markdown(f"**How sure.** {text.sentence(found.confidence)}")
            st.markdown("**What to do**\n" + bullets(found.actions))
            if do:
                do()
        made = ", ".join(text.plain(check) for check in found.checks) or "none"
        told = f"Checks made: {made}."
        if found.missing:
            told += " Not possible: " + "; ".join(text.plain(m) for m in found.missing) + "."
        looked = any("information" in check for check in found.checks)
        st.caption(
            told, help=glossary.help_for("accuracy", *(("mutual information",) if looked else ()))
        )


def bullets(sentences: tuple[str, ...]) -> str:
    """Sentences as a list; a dash where there are none."""
    return "\n".join(f"- {text.sentence(said)}" for said in sentences) or "- nothing"


__all__ = ["Verdict", "card", "of_run", "on_suspect"]
