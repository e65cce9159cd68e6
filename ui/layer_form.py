"""The form that starts a look into the layers."""

from __future__ import annotations

import streamlit as st

from mimic.config import AttentionConfig
from mimic.config.subject import MOST_SHOWN
from mimic.run import Run
from ui import jobs, mode
from ui.inputs import machine
from ui.setting_widgets import several, whole
from ui.subject import Subject, has_result

RUN = "attention_run"


def start(subject: Subject, *, again: bool, opened: bool) -> None:
    """Settings and the button.

    Args:
        subject: the suspect.
        again: whether there is a look already.
        opened: whether the form is open at first.
    """
    with jobs.form(
        title(again=again),
        "attention",
        opened=opened,
    ):
        if not mode.is_expert():
            student = newest_student(subject)
            mode.hidden()
            config = AttentionConfig(**subject.settings, student=student.id if student else "")
            jobs.start_button("Look", "attention", config, RUN, icon=":material/visibility:")
            return
        left, right = st.columns(2, gap="large")
        with left:
            student = choose_student(subject)
            layers = several(AttentionConfig, "layers", "Layers to look into", subject.layers)
        with right:
            images = whole(AttentionConfig, "images", "Images to show", (1, MOST_SHOWN))
            measured = whole(AttentionConfig, "measured", "Images to measure", (2, 100_000))
        config = AttentionConfig(
            **subject.settings,
            student=student.id if student else "",
            layers=layers,
            images=images,
            measured=measured,
            **machine("attention"),
        )
        jobs.start_button("Look", "attention", config, RUN, icon=":material/visibility:")


def title(*, again: bool) -> str:
    """What the form is called: pages name it where they say what to press.

    Args:
        again: whether there is a look already.
    """
    return "Look again" if again else "Look into the layers"


def newest_student(subject: Subject) -> Run | None:
    """The newest distillation with an outcome."""
    return next((run for run in subject.runs("distill") if has_result(run)), None)


def choose_student(subject: Subject) -> Run | None:
    """The distillation whose outcome is looked into beside the suspect; the newest at first."""
    finished = {r.id: r for r in subject.runs("distill") if has_result(r)}
    if not finished:
        st.caption("No cleaned encoder yet: the suspect is looked into alone.")
        return None
    picked = st.selectbox(
        "Cleaned encoder to look into",
        list(finished),
        format_func=jobs.labels(finished),
        key="attention_student",
        help="A distillation's outcome, shown beside the suspect.",
    )
    return finished.get(picked or "")
