"""A grid of attention maps: a row per image, a picture per network with and without the trigger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from mimic.run import Run
from ui import attention_pictures, mode, text
from ui.attention_chart import LOOKS
from ui.subject import Subject

Arrays = Mapping[str, np.ndarray]
Result = Mapping[str, Any]
PER_PAGE = 4
WIDTH = 84
GAP = 4
"""Pixels of a tile and between tiles: four in a row fit a phone; narrower ones shrink them."""
TILES = 4
"""Places in a row, also where there are fewer networks: titles keep one line, so that the rows of
two images beside each other stand at one height."""
BETWEEN = 32
ROWS = ("upper", "middle", "lower")
COLUMNS = ("left", "centre", "right")


def show(subject: Subject, run: Run, result: Result, layer: str) -> None:
    """The maps of one layer, a page of images at a time, two images beside each other."""
    pictures, maps = run.arrays("pictures"), run.arrays(f"maps-{layer}")
    if not pictures or not maps:
        st.caption("This run kept no maps.")
        return
    count = len(pictures["images"])
    pages = -(-count // PER_PAGE)
    height, width = result["sizes"][layer]
    block = TILES * WIDTH + (TILES - 1) * GAP
    with st.container(horizontal=True, gap=BETWEEN, width=2 * block + BETWEEN):
        for index in range(*page(run, pages, count)):
            with st.container(width=block, gap="xsmall"):
                image(subject, result, pictures, maps, index, layer)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.image(attention_pictures.scale_png(), width=144, alt="Colours from none to most.")
        st.caption("none → the most of any map of the image", width="content")
    st.caption(
        f"{'Upper row: the clean picture; lower row: the same with the trigger. ' * stamped(maps)}"
        f"Each square is one of the map's {height} × {width} fields, drawn as it is, nothing "
        f"smoothed. {'Every map has unit length; the' if mode.is_expert() else 'The'} maps of one "
        "image share one scale, so they compare. "
        + "The white line is the edge of the trigger."
        * ("area" in pictures)
    )


def stamped(maps: Arrays) -> bool:
    """Whether there are maps of triggered images."""
    return any(name.endswith("_triggered") for name in maps)


def page(run: Run, pages: int, count: int) -> tuple[int, int]:
    """The first image of the chosen page, and the one after its last."""
    number = st.pagination(pages, key=f"attention-page-{run.id}") if pages > 1 else 1
    return (number - 1) * PER_PAGE, min(count, number * PER_PAGE)


def image(
    subject: Subject, result: Result, pictures: Arrays, maps: Arrays, index: int, layer: str
) -> None:
    """One image: a row of tiles as it is and a row with the trigger, a tile per network."""
    name = subject.class_name(int(pictures["labels"][index]))
    who = f"Image {index + 1}, class {name}"
    shown = {"clean": pictures["images"][index]}
    area = None
    if "stamped" in pictures:
        shown["triggered"], area = pictures["stamped"][index], pictures["area"][index]
    top = max(float(found[index].max()) for found in maps.values())
    st.markdown(f"**{text.plain(who)}**")
    for given, picture in shown.items():
        tiles = 1 + len(result["networks"])
        row = st.container(
            horizontal=True, gap=GAP, wrap=False, width=tiles * WIDTH + (tiles - 1) * GAP,
            key=f"tiles-{index}-{given}",
        )  # fmt: skip
        with row:
            tile(attention_pictures.plain(picture), given, f"{who}, {given}, as it is.")
            for network in result["networks"]:
                found = maps[f"{network}_{given}"][index]
                pixels = attention_pictures.overlay(
                    picture, found, top, area if given == "triggered" else None
                )
                title = LOOKS[network][0]
                tile(
                    pixels,
                    title,
                    f"{who}: the {title} on the {given} image, {layer}, looks most at the "
                    f"{place(found)}.",
                )


def tile(pixels: np.ndarray, caption: str, alt: str) -> None:
    """One picture of a row, as wide as all others of it."""
    st.image(
        attention_pictures.png(pixels), caption=caption, width="stretch", alt=text.bare(alt, 200)
    )


def place(attention: np.ndarray) -> str:
    """Where a map's brightest field lies, in words."""
    row, column = np.unravel_index(int(attention.argmax()), attention.shape)
    down = (int(row) + 0.5) / attention.shape[0]
    across = (int(column) + 0.5) / attention.shape[1]
    return f"{ROWS[min(2, int(3 * down))]} {COLUMNS[min(2, int(3 * across))]}"
