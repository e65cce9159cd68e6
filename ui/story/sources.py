"""Where a number of the story comes from, one click away."""

from __future__ import annotations

import streamlit as st

from mimic import job
from mimic.run import Run, is_bundled, run_created
from ui import jobs, numbers, text


def source(run: Run, told: str, *, label: str = "Where do the numbers come from?") -> None:
    """A button that opens what was measured, when, with which command and seed.

    Args:
        run: the run behind the number.
        told: what was measured, in one sentence of ours.
        label: what stands on the button.
    """
    with st.popover(label, icon=":material/fact_check:"):
        made = (
            "It ships with the project; the command below repeats it"
            if is_bundled(run)
            else f"It was made on this machine {numbers.ago(run_created(run))}"
        )
        config = run.config()
        st.markdown(f"{told} {made} (run {text.plain(run.id)}, seed {config.seed}).")
        st.code(job.command_line(run.kind, jobs.brief(config)), language="bash", wrap_lines=True)
