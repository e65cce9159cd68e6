"""Widgets that name images: a built-in set, an upload, or a path, shown before any job starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from mimic.config import Config, InspectConfig, resolve_path
from mimic.datasets import TORCHVISION
from mimic.datasets.preview import Preview, preview
from mimic.datasets.torchvision_sets import SIDES
from mimic.errors import MimicError
from ui import class_balance, frame, mode, numbers, pictures, text, uploads
from ui.fields import help_of, typed, whole_or_empty

UPLOAD, OTHER = "upload", "other"
STAND_IN, DIGITS_SIDE = "digits", 16
DATA_SUFFIXES = ("zip", "npz")
DATA_MEGABYTES = 500
MAX_SIDE = 1024
PLAIN_HELP = (
    "The nearer these images are to those the encoder learned from, the more the figures tell. "
    "Upload a .zip of pictures, name a folder on this machine, or take a public set."
)
PLAIN_LABELLED = (
    "Images of which it is known what they show; how often the encoder gets that right is counted "
    "on them."
)


def images() -> str | None:
    """Images like those that the encoder was trained on."""
    data = data_set(
        "2. Images like those it was trained on (optional)",
        "suspect_data",
        help_of(InspectConfig, "data") if mode.is_expert() else PLAIN_HELP,
    )
    if data == STAND_IN:
        st.caption(
            "Without images of yours, handwritten digits stand in. Unless the encoder was made for "
            "digits, take the scores as a first look only."
        )
    return data


def labelled() -> str | None:
    """Images with classes that scores are measured on, "" for the same images."""
    return data_set(
        "Labelled images for scores",
        "suspect_downstream",
        help_of(InspectConfig, "downstream") if mode.is_expert() else PLAIN_LABELLED,
        same=True,
    )


def data_set(label: str, key: str, help_text: str, *, same: bool = False) -> str | None:
    """A data set by name or path, None while the path is missing; "" stands for the same one."""
    names = {"": "the same images"} if same else {}
    names |= {STAND_IN: "handwritten digits (they ship with the project)"}
    names |= {UPLOAD: "upload a .zip of images or an .npz…"}
    names |= {OTHER: "a file or folder on this machine…"}
    names |= {n: f"{title} (torchvision)" for n, title in TORCHVISION.items()}
    chosen = st.selectbox(
        label,
        list(names),
        format_func=lambda n: names.get(n, n),
        key=key,
        help=help_text,
        persist_state="session",
    )
    if chosen not in (UPLOAD, OTHER):
        return str(chosen)
    path = own(key, chosen, "labelled images" if same else "images")
    return path if path and show_preview(path) else None


def own(key: str, kind: str, what: str) -> str:
    """A set of the user's own, uploaded or named; ``what`` it holds tells two such fields apart."""
    if kind == UPLOAD:
        return uploads.picker(
            f"File of {what}",
            f"{key}_file",
            allowed=DATA_SUFFIXES,
            megabytes=DATA_MEGABYTES,
            hint="A zip of a folder of images (one sub-folder per class, or none), or an .npz with "
            "x (images) and y (labels). Read in memory, never unpacked.",
        )
    return typed(
        f"Path of the {what}", f"{key}_path", "/path/to/images, images.zip, data.npz or list.csv"
    )


def show_preview(path: str) -> bool:
    """Some of the images with their classes, and what is doubtful about them.

    Returns:
        Whether they can be used; if not, a card says why.
    """
    try:
        with st.spinner("Looking at the images"):
            found = seen(path, changed(path))
    except MimicError as error:
        frame.error_card(error.cause, error.remedy)
        return False
    several = len(found.counts)
    names = ", ".join(text.bare(name, 20) for name in found.classes)
    st.image(
        pictures.strip_png(found.images, 64),
        caption=names or "unlabelled",
        alt=f"Images of the set; classes: {names or 'unknown'}",
    )
    st.caption(f"{numbers.count(found.total)} images. {class_balance.told(found.counts)}")
    frame.warnings({"warnings": found.warnings})
    if several == 1:
        st.caption("With one class there is nothing to tell apart: it counts as unlabelled.")
    return True


@st.cache_data(show_spinner=False, max_entries=32, ttl=300)
def seen(path: str, version: float) -> Preview:  # noqa: ARG001 - a part of the cache key
    """A preview, kept while the file does not change."""
    return preview(path)


def class_names(data: str) -> tuple[str, ...]:
    """A set's classes in the order of their labels; empty where they are not known without work."""
    if data == STAND_IN:
        return tuple(map(str, range(10)))
    if not data or data in TORCHVISION:
        return ()
    try:
        return seen(data, changed(data)).names
    except MimicError:  # Said where the images are asked for.
        return ()


def size_of(data: str | None) -> tuple[int, int] | None:
    """Height and width at which a job reads a set's images; None where that is not known yet.

    Image files are read at the size that suits the encoder, unless one is given.
    """
    if data == STAND_IN:
        return DIGITS_SIDE, DIGITS_SIDE
    if not data or data in TORCHVISION:
        side = SIDES.get(data or "")
        return (side, side) if side else None
    try:
        stored = seen(data, changed(data)).size
    except MimicError:  # Said where the images are asked for.
        return None
    given = st.session_state.get("suspect_image_size") if mode.is_expert() else None
    return stored or ((int(given), int(given)) if given else None)


def changed(path: str) -> float:
    """When a file was changed last; 0 where that is unknown."""
    try:
        return Path(resolve_path(path)).stat().st_mtime
    except (OSError, ValueError):
        return 0.0


def fetching(*names: str | None) -> dict[str, Any]:
    """Simple's question whether a torchvision set may be fetched, where one is named."""
    asked = [TORCHVISION[name] for name in names if name in TORCHVISION]
    if not asked:
        return {}
    allowed = st.checkbox(
        f"Fetch {' and '.join(asked)} from the internet if missing here",
        key="suspect_fetch",
        persist_state="session",
    )
    return {"download": allowed}


def places() -> dict[str, Any]:
    """Where torchvision data lie, whether they may be fetched, and how large images are read."""
    root = st.text_input(
        "Folder of torchvision data",
        "data",
        key="suspect_root",
        persist_state="session",
        help=help_of(InspectConfig, "data_root"),
    )
    download = st.checkbox(
        "Allow fetching a missing data set or timm encoder",
        key="suspect_download",
        persist_state="session",
    )
    side = whole_or_empty(
        Config, "image_size", "Side of own images in pixels", (8, MAX_SIDE), "suspect_image_size"
    )
    return {"data_root": root or "data", "download": download, "image_size": side}
