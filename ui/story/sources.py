"""Where a number of the story comes from, one click away."""

from __future__ import annotations

import streamlit as st

from mimic.run import Run, is_bundled, run_created
from ui import jobs, numbers, text


def source(*told: tuple[Run, str]) -> None:
    """A button that opens what was measured, when, with which command and seed.

    Args:
        told: runs behind the numbers, each with what was measured, in one sentence of ours.
    """
    with st.popover("Where do the numbers come from?", icon=":material/fact_check:"):
        for run, measured in told:
            made = (
                "It ships with the project; the command below repeats it, from the project's folder"
                if is_bundled(run)
                else f"It was made on this machine {numbers.ago(run_created(run))}"
            )
            config = run.config()
            st.markdown(
                f"{measured} {made} (run {text.plain(run.id)}; "
                f"seed {config.seed} fixes its random choices)."
            )
            st.code(jobs.in_terminal(run.kind, config), language="bash", wrap_lines=True)
