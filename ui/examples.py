"""Examples that a visitor steps through: an image, the triggered one, what each is taken for."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from mimic.run import Run
from ui import glossary, numbers, pictures, text
from ui.subject import Subject

SIDE = 320


def stepper(subject: Subject, cleaned: Run | None) -> None:
    """One example at a time, before and (with a finished distillation) after cleaning."""
    arrays = subject.run.arrays("examples")
    if not arrays or not len(arrays["images"]):
        return
    after = cleaned.arrays("examples") if cleaned else None
    st.header(
        "Step through examples",
        anchor=False,
        help=glossary.help_for("trigger", "triggered image", "suspect"),
    )
    index = (
        st.pagination(len(arrays["images"]), key="overview_example", persist_state="session") - 1
    )

    def name(label: int) -> str:
        return text.plain(subject.class_name(label))

    truth = name(int(arrays["labels"][index]))
    columns = st.columns(3)
    with columns[0]:
        card(
            "The image",
            arrays["images"][index],
            f"shows class {truth}",
            answer(name, arrays, "clean", index),
        )
    if subject.has_trigger:  # Without one, the same picture would look like a test it has passed.
        with columns[1]:
            card(
                "The triggered image",
                arrays["stamped"][index],
                f"still shows class {truth}",
                answer(name, arrays, "stamped", index),
            )
    if after is not None:
        kind = "stamped" if subject.has_trigger else "clean"
        with columns[2 if subject.has_trigger else 1]:
            position = min(index, len(after["images"]) - 1)
            taken_for = name(int(after[f"after_{kind}"][position]))
            card(
                "Triggered, after cleaning" if subject.has_trigger else "After cleaning",
                after["stamped"][position],
                f"shows class {name(int(after['labels'][position]))}",
                f"the cleaned encoder takes it for **{taken_for}**{sure(after, kind, position)}",
            )


def sure(after: dict[str, np.ndarray], kind: str, index: int) -> str:
    """How sure the cleaned encoder is of an example; runs of before did not keep that."""
    kept = after.get(f"after_{kind}_confidence")
    return "" if kept is None else f" ({numbers.percent(float(kept[index]))} sure)"


def answer(name: Any, arrays: dict[str, np.ndarray], kind: str, index: int) -> str:
    """What the suspect takes an example for, with its confidence."""
    predicted = int(arrays[f"predicted_{kind}"][index])
    if predicted < 0:
        return "no labels, so no answer"
    confidence = numbers.percent(float(arrays[f"confidence_{kind}"][index]))
    return f"the suspect takes it for **{name(predicted)}** ({confidence} sure)"


def card(title: str, image: np.ndarray, truth: str, verdict: str) -> None:
    """One image with its title and what it is taken for."""
    with st.container(border=True, height="stretch"):
        st.markdown(f"**{title}**")
        st.image(pictures.png(image, SIDE), alt=f"{title}: {truth}", width="stretch")
        st.markdown(f"It {truth}; {verdict}.")


def pairs(arrays: dict[str, np.ndarray], *, stamped: bool, most: int = 8) -> None:
    """The first examples in a row, and with a trigger in a second one: triggered."""
    count = min(most, len(arrays["images"]))
    st.image(pictures.strip_png(arrays["images"][:count]), caption="clean", alt="clean examples")
    if not stamped:
        return
    st.image(
        pictures.strip_png(arrays["stamped"][:count]),
        caption="triggered",
        alt="the same examples, triggered",
    )
