"""What each kind of trigger asks for, and the text that then names it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from mimic.config import ASSET_PREFIX, ASSETS
from ui import uploads

PICTURE_SUFFIXES = ("png", "jpg", "jpeg", "webp", "bmp", "ppm")
RESIZE = "npz-resize:"


def whole(column: st.delta_generator.DeltaGenerator, label: str, key: str, value: int) -> int:
    """A number of pixels."""
    least = 1 if "size" in key else 0
    found = column.number_input(
        label, least, 4096, value=max(least, value), key=f"suspect_{key}", persist_state="session",
        help="In pixels. A first guess near the lower right corner, where many triggers lie; the "
        "pictures below show it."
        if least
        else "Of the upper left corner of it, counted in pixels from 0 at the upper left.",
    )  # fmt: skip
    return int(found)


def real(label: str, key: str, value: float, bounds: tuple[float, float], hint: str = "") -> str:
    """A number with decimals, as a trigger's text writes it."""
    found = st.number_input(
        label, *bounds, value=value, key=f"suspect_{key}", help=hint or None,
        persist_state="session", format="%.3g",
    )  # fmt: skip
    return f"{found:.6f}".rstrip("0").rstrip(".")


def place(side: int, prefix: str, sizes: str = "Size") -> str:
    """Row, column and size of something that starts in the lower right corner."""
    columns = st.columns(3)
    start = {"Row": ("row", side - 6), "Column": ("column", side - 6), sizes: ("size", 5)}
    return ":".join(
        str(whole(column, label, f"{prefix}_{name}_{side}", value))
        for column, (label, (name, value)) in zip(columns, start.items(), strict=True)
    )


def picture_file(prefix: str) -> str:
    """A picture, uploaded or on this machine."""
    source = st.segmented_control(
        "Where is the picture?", ["upload", "path"], default="upload", required=True,
        format_func=lambda name: {"upload": "Upload", "path": "On this machine"}.get(name, name),
        key=f"suspect_{prefix}_source", persist_state="session",
    )  # fmt: skip
    if source == "path":
        typed = st.text_input(
            "Picture file", key=f"suspect_{prefix}_path", placeholder="/path/to/picture.png",
            persist_state="session",
        )  # fmt: skip
        return (typed or "").strip()
    return uploads.picker(
        "Picture file",
        f"suspect_{prefix}_file",
        allowed=PICTURE_SUFFIXES,
        megabytes=uploads.TRIGGER_MEGABYTES,
        hint="Transparent pixels of a patch let the image through.",
    )


def square(side: int) -> str:
    """A white square by its corner and size."""
    return f"square:{place(side, 'square')}"


def patch(side: int) -> str:
    """A picture at one place."""
    file = picture_file("patch")
    where = place(side, "patch", "Width (size)")
    return f"patch:{file}:{where}" if file else ""


def random_patch(side: int) -> str:
    """A picture at a random place within a band."""
    file = picture_file("random")
    left, right = st.columns(2)
    width = whole(left, "Width", f"random_size_{side}", max(1, side // 4))
    band = right.slider(
        "Band (% of the side)", 0, 100, (10, 90), key="suspect_random_band",
        persist_state="session",
        help="Where the patch may lie: 10 to 90 for images that measure, 25 to 75 for those an "
        "encoder is poisoned with. The place is drawn from each image's own pixels.",
    )  # fmt: skip
    low, high = (f"{edge / 100:g}" for edge in band)
    return f"random-patch:{file}:{width}:{low}:{high}" if file else ""


def blend(_side: int) -> str:
    """A picture mixed into the whole image."""
    file = picture_file("blend")
    alpha = real("Strength", "blend_alpha", 0.2, (0.01, 1.0), "1 shows the picture alone.")
    return f"blend:{file}:{alpha}" if file else ""


def pattern(_side: int) -> str:
    """A pattern added to the whole image."""
    file = picture_file("pattern")
    st.caption("Mid-grey (128) adds nothing; brighter pixels brighten the image, darker darken it.")
    return f"pattern:{file}" if file else ""


def sinusoid(side: int) -> str:
    """SIG's waves."""
    amplitude = real("Amplitude (grey levels)", "sig_amplitude", 20.0, (1.0, 255.0))
    most = side / 2 - 0.5
    waves = real("Waves across the image", f"sig_frequency_{side}", min(6.0, most), (0.5, most))
    return f"sig:{amplitude}:{waves}"


def frequency(side: int) -> str:
    """CTRL's raised coefficients; windows as large as the image where it is smaller than 32."""
    magnitude = real(
        "Magnitude", "ctrl_magnitude", 100.0, (1.0, 1000.0),
        "CTRL poisons with 50 or 100 and measures with 100.",
    )  # fmt: skip
    columns = st.columns(1)
    window = whole(columns[0], "Window", f"ctrl_size_{side}", 32 if side % 32 == 0 else side)
    return f"ctrl:{magnitude}:{window}"


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
    file = uploads.picker(
        "Trigger file",
        "suspect_trigger_file",
        allowed=("npz",),
        megabytes=uploads.TRIGGER_MEGABYTES,
        hint="An .npz with the arrays t (patch) and tm (mask), as BadEncoder writes it, or one "
        "saved here.",
    )
    return resizable(file)


def path(_side: int) -> str:
    """A trigger file on this machine."""
    value = st.text_input(
        "Trigger file",
        key="suspect_trigger_path",
        placeholder="/path/to/trigger.npz",
        persist_state="session",
    )
    return resizable((value or "").strip())


def resizable(file: str) -> str:
    """A trigger file, stamped on enlarged images if the person wants that."""
    larger = st.checkbox(
        "Enlarge smaller images to put the trigger on",
        key="suspect_trigger_resize",
        persist_state="session",
        help="DRUPE's way with a trigger larger than the images: enlarge the image, put the "
        "trigger on, shrink it back.",
    )
    return f"{RESIZE}{file}" if file and larger else file


ASK: dict[str, Callable[[int], str]] = {
    "square": square,
    "patch": patch,
    "random": random_patch,
    "blend": blend,
    "pattern": pattern,
    "sinusoid": sinusoid,
    "frequency": frequency,
    "builtin": builtin,
    "upload": upload,
    "path": path,
}
