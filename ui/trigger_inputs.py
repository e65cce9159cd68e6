"""Choosing a trigger, with a live preview on images."""

from __future__ import annotations

import numpy as np
import streamlit as st

from mimic import datasets
from mimic.errors import MimicError
from mimic.run import list_runs
from mimic.trigger import Trigger, fitting_trigger
from ui import frame, pictures, text, trigger_drawing, trigger_kinds

DRAWN = "draw"
KEY = "suspect_trigger"
KINDS = {
    "none": "No trigger is known",
    "square": "White square",
    DRAWN: "Draw a trigger",
    "patch": "Picture at one place",
    "random": "Picture at a random place",
    "blend": "Picture blended in",
    "pattern": "Pattern added to the whole image",
    "sinusoid": "Waves (SIG)",
    "frequency": "Colour frequencies (CTRL)",
    "builtin": "One that ships with the project",
    "upload": "Upload a trigger file",
    "path": "Trigger file on this machine",
}
USUAL_SIDE = 32


def trigger(data: str, size: tuple[int, int] | None = None) -> str:
    """The trigger as a setting, shown at once on images of ``data``.

    Args:
        data: the images it is shown on.
        size: height and width of the images a job will put it on, where that is known: one that
            does not fit is told here, as the job would tell it.
    """
    kind = st.selectbox(
        "3. The trigger you suspect (optional)",
        list(KINDS),
        format_func=lambda name: KINDS.get(name, name),
        key=KEY,
        persist_state="session",
        help="The mark that may set off a backdoor. Without one, attack success cannot be "
        "measured: how often it gets the attacker's answer.",
    )
    if kind == "none":
        st.caption(
            "Without a trigger you learn what the file is and whether it works, but not whether "
            "it has a backdoor."
        )
    images = preview_images(data)
    if images is not None and size not in (None, images.shape[1:3]):
        images = None  # They are of another set than those it will be put on.
    size = size or (images.shape[1:3] if images is not None else None)
    if images is not None and images.shape[1] != images.shape[2]:
        images = None  # Triggers made here are square.
    side = size[0] if size is not None else USUAL_SIDE
    value = ""
    if kind == DRAWN:
        value = drawn(side, images)
    elif kind in trigger_kinds.ASK:
        value = trigger_kinds.ASK[kind](side)
    if value:
        preview(value, images, size)
    return value


def drawn(side: int, images: np.ndarray | None) -> str:
    """A trigger drawn by hand, on the first image where one is at hand."""
    if images is None:
        given = st.number_input(
            "Side of the images in pixels", 4, 512, value=side, key="suspect_draw_side",
            persist_state="session",
        )  # fmt: skip
        return trigger_drawing.draw(int(given), None, f"suspect_draw_{given}")
    return trigger_drawing.draw(side, images[0], f"suspect_draw_{side}")


def preview(value: str, images: np.ndarray | None, size: tuple[int, int] | None) -> None:
    """The trigger on a few images, or on mid-grey where none of its size are at hand."""
    with frame.errors_as_cards():
        stamp = (
            Trigger.from_text(value, image_size=USUAL_SIDE)
            if size is None
            else fitting_trigger(value, height=size[0], width=size[1])
        )
        for doubt in stamp.warnings:
            st.warning(text.sentence(doubt), icon=":material/warning:")
        made_for = (
            stamp.shape and f" It is made for images of {stamp.shape[0]} × {stamp.shape[1]} pixels."
        )
        st.caption(text.sentence(stamp.describe()) + (made_for or ""))
        if images is None or stamp.shape not in (None, images.shape[1:3]):
            st.image(
                pictures.png(stamp.preview(), 96),
                caption="the trigger on mid-grey",
                alt="the trigger on mid-grey",
            )
            return
        st.image(
            pictures.strip_png(stamp.apply(images), 64),
            caption="the trigger on some of the images",
            alt="triggered images",
        )


def preview_images(data: str) -> np.ndarray | None:
    """A few images of a data set, if they are at hand without reading a large file."""
    for run in list_runs(kind="inspect"):
        if run.about()["config"].get("data") == data:
            arrays = run.arrays("examples")
            if arrays:
                return arrays["images"][:6]
    return digits() if data == "digits" else None


@st.cache_data(show_spinner=False)
def digits() -> np.ndarray | None:
    """Six test images of the digits."""
    try:
        return datasets.load_images("digits", "test").images[:6]
    except MimicError:
        return None
