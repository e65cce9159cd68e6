"""Computing an embedding: for which student, with which settings, and its numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from mimic.config import EmbedConfig
from mimic.run import Run
from ui import address, comparison, jobs, live, missing_run, mode, numbers, text
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
    missing_run.adopt("student", finished)
    newest = next(iter(finished))
    usual = usual_student(subject, list(finished))
    which = "newest" if usual == newest else "newest with a map"
    picked = st.selectbox(
        "Cleaned encoder",
        list(finished),
        index=None,
        placeholder=f"{which}: {jobs.label(finished[usual])}",
        format_func=lambda run_id: jobs.label(finished[run_id]) if run_id in finished else run_id,
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
        student_of(r) for r in subject.runs("embed") if has_result(r) or jobs.state_of(r).is_active
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
    fitting = [r for r in subject.runs("embed") if student_of(r) == wanted]
    ids = [r.id for r in fitting]
    missing_run.adopt(RUN, ids)
    found = live.pending(RUN) or next(
        (r for r in fitting if has_result(r) or jobs.state_of(r).is_active), None
    )
    missing_run.tell(RUN, ids if found else (), what="a map")
    address.keep_all({"student": wanted or None, RUN: found.id if found else None})
    return found


def student_of(run: Run) -> str:
    """The id of the distillation an embedding shows."""
    return str(run.about()["config"].get("student", "")).rstrip("/").rsplit("/", 1)[-1]


def start_form(subject: Subject, student: Run | None, run: Run | None) -> None:
    """Settings and the button that computes an embedding."""
    with jobs.form(
        "Compute again" if run else "Compute the embedding",
        "embed",
        opened=run is None,
    ):
        given = {**subject.settings, "student": student.id if student else ""}
        if not mode.is_expert():
            mode.hidden(EmbedConfig)
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


def numbers_table(subject: Subject, result: Mapping[str, Any], layer: str) -> None:
    """The numbers of one layer, with all layers one click away, and what they mean."""
    rows = number_rows(result)
    st.dataframe(
        [r for r in rows if r["layer"] == text.cell(layer)], hide_index=True, width="stretch"
    )
    st.caption(
        "Measured in the layer itself, not in the plane, on each triggered image's nearest clean "
        "image other than itself. Triggered beside target: how often that is of class "
        f"{text.plain(subject.target_name)} (images of that class left out); low is good. Beside "
        "own class: "
        "how often it is of the class the image truly shows; high is good. Clean–triggered "
        "separation: silhouette, near 1 when triggered images form a group of their own, near 0 "
        "when they mix."
    )
    if not mode.is_expert():
        return
    with st.expander("All layers"):
        st.dataframe(rows, hide_index=True, width="stretch")


def number_rows(result: Mapping[str, Any]) -> list[dict[str, str]]:
    """One row per layer and side of the numbers beside the pictures."""
    rows = []
    for layer, sides in result["numbers"].items():
        for side, found in sides.items():
            if found:
                rows.append(
                    {
                        "layer": text.cell(layer),
                        "encoder": side,
                        "triggered beside target": numbers.percent(
                            found["nearest_clean_is_target"]
                        ),
                        "triggered beside own class": numbers.percent(
                            found["same_class_neighbours"]
                        ),
                        "clean–triggered separation": decimal(found["silhouette"]),
                    }
                )
    return rows


def decimal(value: float | None) -> str:
    """A number from -1 to 1."""
    return numbers.NOTHING if value is None else f"{value:.2f}"
