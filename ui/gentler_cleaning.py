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
        softer = gentler.after(run, found.level)
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
        st.markdown(
            "It changes only this:\n" + verdict.bullets(softer.changes),
            help=glossary.help_for("layer weight", "epoch", "clone loss", "attention loss"),
        )
        st.caption(told(softer))
        if mode.is_expert():
            st.code(
                text.code(jobs.in_terminal("distill", softer.config)),
                language=None, wrap_lines=True,
            )  # fmt: skip


def told(softer: gentler.Gentler) -> str:
    """What speaks for a gentler cleaning, and what it takes."""
    return (
        f"{text.sentence(softer.why)} A new cleaned encoder is trained in about "
        f"{numbers.duration(softer.seconds)}, judged by this one. It may be right less often. "
        "This cleaning is kept, to compare."
    )
