"""The selection in the page's address, so that a reload or another browser shows the same.

Classes stand there by number. Any other selection is coded as short as it gets: bytes in base64url,
of which four name the run the images belong to and one tells how the rest is written, as the steps
from one image to the next or, of many images, as one bit each.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import re
import zlib
from collections.abc import Sequence

import numpy as np
import streamlit as st

from ui import address, selection

IMAGES = "images"
MOST_CHARACTERS = 2_000
"""Longer addresses get cut by mail programs and chats. What is chosen of 11,900 images fits."""
STEPS, BITS = 0, 1
CODE = re.compile(r"[A-Za-z0-9_-]{8,2000}")
CLASS_LIST = re.compile(r"[0-9]{1,6}(,[0-9]{1,6}){0,199}")
SEVEN_BITS = 7
MOST_STEP_BYTES = 3


def adopt(run_id: str, labels: np.ndarray) -> None:
    """Before the widgets that select: take over what the visitor's address names.

    Args:
        run_id: the run whose images are shown.
        labels: their classes.
    """
    given = address.fresh(selection.CLASSES)
    if given:
        known = set(labels[labels >= 0].tolist())
        classes = [int(word) for word in given.split(",")] if CLASS_LIST.fullmatch(given) else []
        if classes and known.issuperset(classes):
            st.session_state[selection.CLASSES] = list(dict.fromkeys(classes))
            selection.chosen_classes(labels)
        else:
            refuse(selection.CLASSES)
    given = address.fresh(IMAGES)
    if given:
        ids = decode(given, run_id, len(labels))
        if ids:
            selection.choose(ids, "link")
        else:
            refuse(IMAGES)


def refuse(name: str) -> None:
    """Leave out what does not fit, and say so."""
    st.query_params.pop(name, None)
    st.caption(
        "The selection in this link was made on other images than these, or the link was cut: "
        "it is left out."
    )


def keep(run_id: str, count: int) -> None:
    """After the widgets: write the selection into the address.

    Args:
        run_id: the run whose images are shown.
        count: how many there are.
    """
    ids = [i for i in selection.current() if i < count]
    classes = st.session_state.get(selection.CLASSES) or []
    address.keep(selection.CLASSES, ",".join(map(str, classes)) or None)
    code = encode(ids, run_id) if ids and not classes else None
    fits = code is None or len(code) <= MOST_CHARACTERS
    address.keep(IMAGES, code if fits else None)
    if not fits:
        st.caption("So many images do not fit into the page's address: a link leaves them out.")


def encode(ids: Sequence[int], run_id: str) -> str:
    """Ids of images, in order, as short as either way of writing gets."""
    steps = bytearray()
    for step in np.diff(ids, prepend=0).tolist():
        while step >= 1 << SEVEN_BITS:
            steps.append(step & 127 | 128)
            step >>= SEVEN_BITS
        steps.append(step)
    bits = np.zeros(max(ids) + 1, dtype=np.uint8)
    bits[list(ids)] = 1
    packed = np.packbits(bits).tobytes()
    body = bytes([STEPS]) + steps if len(steps) <= len(packed) else bytes([BITS]) + packed
    return base64.urlsafe_b64encode(tag(run_id) + body).decode().rstrip("=")


def tag(run_id: str) -> bytes:
    """Four bytes that another run will hardly share."""
    return zlib.crc32(run_id.encode()).to_bytes(4, "big")


def decode(code: str, run_id: str, count: int) -> list[int]:
    """The ids; none where the code is no code of this run's images."""
    if not CODE.fullmatch(code):
        return []
    try:
        read = base64.urlsafe_b64decode(code + "=" * (-len(code) % 4))
    except binascii.Error:
        return []
    if read[:4] != tag(run_id) or len(read) <= len(tag(run_id)) + 1:
        return []
    kind, body = read[4], read[5:]
    if kind == BITS:
        ids = np.flatnonzero(np.unpackbits(np.frombuffer(body, dtype=np.uint8))).tolist()
    else:
        ids = np.cumsum(steps_of(body)).tolist() if kind == STEPS else []
    fits = bool(ids) and ids[-1] < count and all(a < b for a, b in itertools.pairwise(ids))
    return ids if fits else []


def steps_of(body: bytes) -> list[int]:
    """Numbers of seven bits a byte, the lowest first; none where one is longer than any can be."""
    steps, step, shift = [], 0, 0
    for byte in body:
        if shift >= SEVEN_BITS * MOST_STEP_BYTES:
            return []
        step |= (byte & 127) << shift
        shift += SEVEN_BITS
        if byte < 1 << SEVEN_BITS:
            steps.append(step)
            step, shift = 0, 0
    return [] if shift else steps
