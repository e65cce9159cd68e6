"""One widget per kind of setting, with the config's own default and help text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from ui import palette, text
from ui.fields import help_of


def default_of(kind: type[Any], name: str) -> Any:
    """A setting's default; where a preset decides, what the default preset decides."""
    return getattr(kind(), name)


def one_of(kind: type[Any], name: str, label: str, options: Sequence[str]) -> str:
    """A setting that is one of several words; its default is offered whether listed or not."""
    usual = str(default_of(kind, name))
    listed = list(dict.fromkeys([*options, usual]))
    chosen = st.selectbox(
        label, listed, index=listed.index(usual), key=f"{kind.__name__}_{name}",
        help=help_of(kind, name), persist_state="session",
    )  # fmt: skip
    return str(chosen)


def switch(kind: type[Any], name: str, label: str) -> bool:
    """A setting that is on or off."""
    return st.checkbox(
        label, value=bool(default_of(kind, name)), key=f"{kind.__name__}_{name}",
        help=help_of(kind, name), persist_state="session",
    )  # fmt: skip


def whole(
    kind: type[Any],
    name: str,
    label: str,
    bounds: tuple[int, int],
    suited: dict[str, Any] | None = None,
) -> int:
    """A whole-number setting; a value in ``suited`` takes the place of its default."""
    usual = (suited or {}).get(name, default_of(kind, name))
    value = st.number_input(
        label, *bounds, value=usual, key=f"{kind.__name__}_{name}_{usual}",
        help=help_of(kind, name), persist_state="session",
    )  # fmt: skip
    return int(value)


def real(
    kind: type[Any],
    name: str,
    label: str,
    bounds: tuple[float, float],
    layout: str = "%.3g",
    suited: dict[str, Any] | None = None,
) -> float:
    """A real-number setting; a value in ``suited`` takes the place of its default."""
    usual = float((suited or {}).get(name, default_of(kind, name)))
    key = f"{kind.__name__}_{name}" + (f"_{usual:g}" if suited else "")
    value = st.number_input(
        label, *bounds, value=usual, key=key, help=help_of(kind, name), format=layout,
        persist_state="session", step=usual / 4 or 0.1,
    )  # fmt: skip
    return float(value)


def several(kind: type[Any], name: str, label: str, options: Sequence[str]) -> tuple[str, ...]:
    """A setting that names several things."""
    usual = [v for v in default_of(kind, name) if v in options]
    chosen = st.pills(
        label, list(options), selection_mode="multi", default=usual,
        format_func=lambda n: palette.NETWORK_NAME.get(n, text.plain(n)),
        key=f"{kind.__name__}_{name}", help=help_of(kind, name), persist_state="session", wrap=True,
    )  # fmt: skip
    return tuple(option for option in options if option in chosen)


def words(kind: type[Any], name: str, label: str, options: Sequence[str]) -> tuple[str, ...]:
    """A setting that names several things, of which some may be typed in, in the order chosen."""
    chosen = st.multiselect(
        label, list(dict.fromkeys([*options, *default_of(kind, name)])),
        default=list(default_of(kind, name)), key=f"{kind.__name__}_{name}",
        help=help_of(kind, name), accept_new_options=True, persist_state="session",
    )  # fmt: skip
    return tuple(str(word) for word in chosen)


def clean_share(kind: type[Any], usual: float) -> float:
    """The defender's share of the images, asked in percent; ``usual`` is what suits the images."""
    value = st.number_input(
        "Clean images (% of the data)", 0.1, 100.0, value=100 * usual, step=1.0, format="%.1f",
        key=f"{kind.__name__}_clean_fraction_{usual:g}", help=help_of(kind, "clean_fraction"),
        persist_state="session",
    )  # fmt: skip
    return round(float(value) / 100, 6)
