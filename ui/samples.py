"""The images behind selected points: how many of which class, a gallery, and one looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from ui import numbers, pictures, selection, text
from ui.selection import SIDES
from ui.subject import Subject

PER_PAGE = 12
TILE, PANEL = 124, 104
"""Widths of a gallery tile and of an inspected picture, in pixels: two or three fit a phone."""
Arrays = Mapping[str, np.ndarray]
KIND_NAMES = {"clean": "clean", "triggered": "with the trigger"}


def show(subject: Subject, points: Arrays) -> None:
    """Counts, gallery and inspector of the current selection."""
    ids = [i for i in selection.current() if i < len(points["labels"])]
    st.header("Images behind the points", anchor=False)
    if not ids:
        st.caption(
            "Draw a loop around points in either map, or choose classes or numbers above, to see "
            "the images. A double click on a map drops the selection."
        )
        return
    looked_at = st.session_state.get(selection.INSPECTED, ids[0] if len(ids) == 1 else None)
    left, right = st.columns(2, gap="large")
    with left:
        gallery(subject, points, ids)
    with right:
        if looked_at in ids:
            inspector(subject, points, looked_at)
        counts(subject, points, ids)


def gallery(subject: Subject, points: Arrays, ids: Sequence[int]) -> None:
    """The images, clean beside stamped, and what each is taken for, page by page."""
    pages = -(-len(ids) // PER_PAGE)
    st.caption(
        f"{numbers.count(len(ids))} images: each clean, then with the trigger. “before: 2 → 1” "
        "means: the suspect takes it for 2 when clean and for 1 with the trigger; “after” is the "
        "cleaned encoder."
    )
    page_area = st.container(horizontal=True, gap="small")
    page = st.pagination(pages, key=selection.PAGE) if pages > 1 else 1
    first = (page - 1) * PER_PAGE
    for position, index in enumerate(ids[first : first + PER_PAGE]):
        with page_area, st.container(width=TILE):
            caption = answers(subject, points, index)
            st.image(
                pictures.pair_png(points["images"][index], points["stamped"][index]),
                caption="  \n".join(text.plain(line, 400) for line in caption),
                width="stretch",
                alt=f"image {index}, clean and stamped: {', '.join(caption)}",
            )
            st.button(
                f"Image {index}",
                icon=":material/zoom_in:",
                help="Look at this image closely: its difference and its neighbours.",
                key=f"look-{position}",
                on_click=look,
                args=(index,),
                width="stretch",
            )


def look(index: int) -> None:
    """Callback: look at one of the selected images closely."""
    st.session_state[selection.INSPECTED] = index


def named(subject: Subject, points: Arrays, field: str, index: int) -> str:
    """A class the run has stored for an image, or a dash; safe as Markdown."""
    if field not in points:
        return numbers.NOTHING
    return text.plain(subject.class_name(int(points[field][index])))


def answers(subject: Subject, points: Arrays, index: int) -> list[str]:
    """Class of an image, and what each encoder takes it for, clean and stamped: a line each."""
    told = [f"shows {named(subject, points, 'labels', index)}"]
    for side in SIDES:
        if f"{side}_clean" in points:
            clean, stamped = (
                named(subject, points, f"{side}_{k}", index) for k in ("clean", "triggered")
            )
            told.append(f"{side}: {clean} → {stamped}")
    return told


def counts(subject: Subject, points: Arrays, ids: Sequence[int]) -> None:
    """Per class: how many images are selected, and where their triggered versions are taken to."""
    sides = [side for side in SIDES if f"{side}_triggered" in points]
    shown = {"selected": points["labels"], **{s: points[f"{s}_triggered"] for s in sides}}
    columns = {name: counted(classes[ids]) for name, classes in shown.items()}
    rows = []
    for label in range(max(len(c) for c in columns.values())):
        row = {n: int(c[label]) if label < len(c) else 0 for n, c in columns.items()}
        if any(row.values()):
            rows.append({"class": text.cell(subject.class_name(label)), **row})
    if not rows:  # Unlabelled images.
        return
    st.markdown("**The selection by class**")
    st.caption(
        "Selected: how many of the images show the class. Before and after: how many of their "
        "triggered versions the suspect and the cleaned encoder take for it."
    )
    bars = {
        name: st.column_config.ProgressColumn(
            name, format="%d", min_value=0, max_value=len(ids), width="small"
        )
        for name in columns
    }
    st.dataframe(rows, hide_index=True, column_config=bars, width="stretch")


def counted(classes: np.ndarray) -> np.ndarray:
    """How often each class occurs, unknown ones (-1) left out."""
    return np.bincount(classes[classes >= 0])


def inspector(subject: Subject, points: Arrays, index: int) -> None:
    """One image: clean, stamped, their difference; what encoders take it for; its neighbours."""
    st.markdown(f"**Image {index}**")
    clean, stamped = points["images"][index], points["stamped"][index]
    shown, factor = amplified(clean, stamped)
    panels = (
        (clean, f"shows class {named(subject, points, 'labels', index)}"),
        (stamped, "with the trigger"),
        (shown, "difference" if factor < 1.05 else f"difference × {factor:.1f}"),
    )
    area = st.container(horizontal=True, gap="small")
    for image, caption in panels:
        with area, st.container(width=PANEL):
            st.image(
                pictures.png(image, 160), caption=caption, width="stretch",
                alt=f"image {index}: {caption}",
            )  # fmt: skip
    rows = []
    for side in SIDES:
        if f"{side}_clean" in points:
            moved = points.get(f"{side}_displacement")
            rows.append(
                {
                    "taken for": side,
                    "clean": named(subject, points, f"{side}_clean", index),
                    "triggered": named(subject, points, f"{side}_triggered", index),
                    "displacement": numbers.NOTHING if moved is None else f"{moved[index]:.2f}",
                }
            )
    if rows:
        st.dataframe(rows, hide_index=True, width="stretch")
    neighbors(subject, points, index)


def amplified(clean: np.ndarray, stamped: np.ndarray) -> tuple[np.ndarray, float]:
    """The difference of two images made as bright as possible, and how many times brighter."""
    difference = np.abs(stamped.astype(np.int16) - clean.astype(np.int16))
    factor = 255 / max(1, int(difference.max()))
    return (difference * factor).round().astype(np.uint8), factor


def neighbors(subject: Subject, points: Arrays, index: int) -> None:
    """The clean images most like this one to each encoder, for its clean and triggered version."""
    sides = [side for side in SIDES if f"{side}_clean_neighbors" in points]
    if not sides:
        st.caption("This run was made before neighbours were stored; compute it again to see them.")
        return
    st.markdown("**Most similar clean images**, as each encoder sees it")
    for side in sides:
        for kind, name in KIND_NAMES.items():
            near = points[f"{side}_{kind}_neighbors"][index].astype(int)
            classes = points["labels"][near]
            alike = int((classes == points["labels"][index]).sum())
            listed = " ".join(subject.class_name(int(c)) for c in classes)
            caption = f"{side}, {name}: {alike} of {len(near)} are of its own class ({listed})"
            st.image(
                pictures.strip_png(points["images"][near], 56), caption=text.plain(caption, 400),
                width="stretch", alt=f"nearest to image {index}, {caption}",
            )  # fmt: skip
