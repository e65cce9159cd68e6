"""The button that cleans again, more gently, beside the advice to do so."""

from __future__ import annotations

import streamlit as st

from mimic import gentler
from mimic.run import Run
from ui import frame, glossary, jobs, mode, numbers, text, verdict

KEY = "clean-more-gently"


def offer(run: Run, found: verdict.Verdict, remembered: str) -> None:
    """What the next gentler cleaning changes and takes, and the button that begins it.

    Args:
        run: the distillation that the verdict is on.
        found: the verdict; where the backdoor is gone, nothing is shown.
        remembered: the key under which the session remembers the new run.
    """
    if found.level not in gentler.LEFT_IN:
        return
    with frame.errors_as_cards():
        softer = gentler.after(run)
        if softer is None:
            st.caption(
                "This cleaning was already as gentle as any that was measured. What is left to try "
                "is another seed, or other clean images."
            )
            return
        st.button(
            "Clean again, more gently", icon=":material/spa:", type="primary", key=KEY,
            on_click=jobs.start, args=("distill", softer.config, remembered),
        )  # fmt: skip
        st.caption(
            told(softer),
            help=glossary.help_for("layer weight", "epoch", "clone loss", "attention loss"),
        )
        if mode.is_expert():
            st.code(
                text.code(jobs.in_terminal("distill", softer.config)),
                language=None, wrap_lines=True,
            )  # fmt: skip


def told(softer: gentler.Gentler) -> str:
    """Which settings change, why, and what that takes."""
    changes = " ".join(text.sentence(change) for change in softer.changes)
    return (
        f"Changes only this. {changes} {text.sentence(softer.why)} A fresh student is trained, "
        f"about {numbers.duration(softer.seconds)} by the time that this one took, and may be "
        "right less often. This cleaning is kept."
    )
