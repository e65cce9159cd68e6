"""Choosing a trigger, with a live preview on images."""

from __future__ import annotations

import numpy as np
import streamlit as st

from mimic import datasets
from mimic.config import ASSET_PREFIX, ASSETS
from mimic.errors import MimicError
from mimic.run import list_runs
from mimic.trigger import Trigger
from ui import frame, pictures, uploads

KINDS = {
    "none": "None",
    "square": "Square",
    "builtin": "Built-in",
    "upload": "Upload",
    "path": "File",
}
SIDES = {"digits": 16}
USUAL_SIDE = 32


def trigger(data: str) -> str:
    """The trigger as a setting, shown at once on images of ``data``."""
    kind = st.segmented_control(
        "Trigger",
        list(KINDS),
        default="square",
        required=True,
        format_func=lambda name: KINDS.get(name, name),
        key="suspect_trigger",
        wrap=True,
        persist_state="session",
        help="Without a trigger, attack success cannot be measured.",
    )
    side = SIDES.get(data, USUAL_SIDE)
    ask = {"square": square, "builtin": builtin, "upload": upload, "path": path}.get(kind or "")
    value = ask(side) if ask else ""
    if value:
        preview(value, data, side)
    return value


def square(side: int) -> str:
    """A white square by its corner and size."""
    columns = st.columns(3)
    start = {"row": side - 6, "column": side - 6, "size": 5}
    row, column, size = (
        columns[i].number_input(
            name.capitalize(), 0 if name != "size" else 1, 1024, value=value,
            key=f"suspect_square_{name}_{side}", persist_state="session",
        )
        for i, (name, value) in enumerate(start.items())
    )  # fmt: skip
    return f"square:{row}:{column}:{size}"


def builtin(_side: int) -> str:
    """A trigger that ships with the project."""
    files = sorted(ASSETS.glob("*/trigger*.npz"))
    if not files:
        st.caption("No trigger ships with this copy of the project.")
        return ""
    names = {f"{ASSET_PREFIX}{f.relative_to(ASSETS).as_posix()}": f.parent.name for f in files}
    chosen = st.selectbox(
        "Built-in trigger",
        list(names),
        format_func=lambda n: names.get(n, n),
        key="suspect_trigger_builtin",
        persist_state="session",
    )
    return str(chosen or "")


def upload(_side: int) -> str:
    """A trigger file from the visitor's machine."""
    return uploads.picker(
        "Trigger file",
        "suspect_trigger_file",
        allowed=("npz",),
        megabytes=uploads.TRIGGER_MEGABYTES,
        hint="An .npz with the arrays t (patch) and tm (mask), as BadEncoder writes it.",
    )


def path(_side: int) -> str:
    """A trigger file on this machine."""
    value = st.text_input(
        "Trigger file",
        key="suspect_trigger_path",
        placeholder="/path/to/trigger.npz",
        persist_state="session",
    )
    return (value or "").strip()


def preview(value: str, data: str, side: int) -> None:
    """The trigger on a few images, or on mid-grey where none of its size are at hand."""
    with frame.errors_as_cards():
        images = preview_images(data)
        size = side if images is None else images.shape[1]
        stamp = Trigger.from_text(value, image_size=size)
        if images is None or images.shape[1:3] != stamp.shape:
            st.image(pictures.png(stamp.preview(), 96), caption="the trigger on mid-grey")
            return
        st.image(
            pictures.strip_png(stamp.apply(images), 64),
            caption="the trigger on some of the images",
            alt="images with the trigger stamped on",
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
