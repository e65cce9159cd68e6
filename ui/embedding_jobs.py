"""Computing an embedding: for which student, and with which settings."""

from __future__ import annotations

import streamlit as st

from mimic.config import EmbedConfig
from mimic.run import Run
from mimic.subjects import student_id
from ui import address, comparison, jobs, live, missing_run, mode, text
from ui.inputs import machine
from ui.setting_widgets import several, whole
from ui.subject import Subject, has_result

RUN = "embed_run"


def choose_student(subject: Subject) -> Run | None:
    """The distillation whose outcome is the after-picture; None while there is none.

    Until one is picked: the newest that has a map, since a cleaning just made has none.
    """
    finished = {r.id: r for r in subject.runs("distill") if has_result(r)}
    if not finished:
        return None
    asked = next((r for r in subject.runs("embed") if r.id == address.fresh(RUN)), None)
    if asked and student_id(asked) in finished:  # A link to a map is one to its encoder, too.
        st.session_state["student"] = student_id(asked)
    missing_run.adopt("student", finished)
    newest = next(iter(finished))
    usual = usual_student(subject, list(finished))
    which = "newest" if usual == newest else "newest with a map"
    picked = st.selectbox(
        "Cleaned encoder",
        list(finished),
        index=None,
        placeholder=f"{which}: {jobs.label(finished[usual])}",
        format_func=jobs.labels(finished),
        key="student",
        persist_state="session",
    )
    missing_run.tell("student", finished, what="a cleaned encoder")
    if not picked and usual != newest:
        newest_without_map(finished[usual], finished[newest])
    return finished.get(picked or usual, finished[usual])


def usual_student(subject: Subject, finished: list[str]) -> str:
    """The newest of some distillations that has a map, finished or at work; else the newest."""
    mapped = {
        student_id(r) for r in subject.runs("embed") if has_result(r) or jobs.state_of(r).is_active
    }
    return next((run_id for run_id in finished if run_id in mapped), finished[0])


def newest_without_map(shown: Run, newest: Run) -> None:
    """That an older cleaning is shown, and the way to a map of the newest."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"Shown: {text.plain(jobs.label(shown))}; the newest cleaning "
            f"({text.plain(jobs.label(newest))}) has no map yet.",
            width="stretch",
        )
        st.button(
            "Choose the newest, to compute its map", icon=":material/scatter_plot:",
            key="embed_newest", on_click=pick, args=(newest,),
        )  # fmt: skip


def pick(run: Run) -> None:
    """Pick a cleaned encoder. For callbacks."""
    st.session_state["student"] = run.id


def find(subject: Subject, student: Run | None) -> Run | None:
    """The newest embedding of this student that is finished or at work, or one just started."""
    wanted = student.id if student else ""
    fitting = [r for r in subject.runs("embed") if student_id(r) == wanted]
    ids = [r.id for r in fitting]
    missing_run.adopt(RUN, ids)
    found = live.pending(RUN) or next(
        (r for r in fitting if has_result(r) or jobs.state_of(r).is_active), None
    )
    missing_run.tell(RUN, ids if found else (), what="a map")
    address.keep_all({"student": wanted or None, RUN: found.id if found else None})
    return found


def start_form(subject: Subject, student: Run | None, run: Run | None) -> None:
    """Settings and the button that computes an embedding."""
    with jobs.form(
        "Compute again" if run else "Compute the embedding",
        "embed",
        opened=run is None,
    ):
        given = {**subject.settings, "student": student.id if student else ""}
        if not mode.is_expert():
            mode.hidden()
            chosen = EmbedConfig(**given)
            jobs.start_button("Compute", "embed", chosen, RUN, icon=":material/scatter_plot:")
            return
        left, right = st.columns(2, gap="large")
        with left:
            layers = several(EmbedConfig, "layers", "Layers", comparison.LAYER_ORDER)
            projections = several(
                EmbedConfig, "projections", "Projections", ("umap", "pca", "plane")
            )
        with right:
            points = whole(EmbedConfig, "points", "Images", (5, 10_000))
            near = whole(EmbedConfig, "neighbors", "UMAP neighbours", (2, 200))
        config = EmbedConfig(
            **given,
            layers=layers,
            projections=projections,
            points=points,
            neighbors=near,
            **machine("embed"),
        )
        jobs.start_button("Compute", "embed", config, RUN, icon=":material/scatter_plot:")
