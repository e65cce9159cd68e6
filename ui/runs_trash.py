"""Deleted runs, until they are removed for good."""

from __future__ import annotations

import streamlit as st

from mimic.run import default_root, trashed
from mimic.run.trash import deleted_at
from ui import jobs, numbers, runs_actions, subject, text

MOST = 50


def show() -> None:
    """What the trash holds, with a way back for each."""
    runs = trashed(default_root())
    if not runs:
        return
    with st.expander(f"Trash ({len(runs)})"):
        for run in runs[:MOST]:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(
                    f"**{jobs.KINDS.get(run.kind, text.plain(run.kind))}** of "
                    f"{text.plain(subject.title(run))} · {text.plain(run.id)} · "
                    f"deleted {numbers.ago(deleted_at(run))}",
                    width="stretch",
                )
                st.button(
                    "Restore", icon=":material/undo:", key=f"restore-{run.id}",
                    on_click=runs_actions.bring_back, args=(run.id,),
                )  # fmt: skip
        if len(runs) > MOST:
            st.caption(f"And {len(runs) - MOST} more.")
        sure = st.checkbox("Remove them for good; this cannot be undone", key="runs_trash_sure")
        st.button(
            "Empty the trash", icon=":material/delete_forever:", disabled=not sure,
            on_click=runs_actions.empty,
        )  # fmt: skip
