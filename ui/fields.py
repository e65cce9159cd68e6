"""What every widget of a setting needs: its help text, and paths as they are typed."""

from __future__ import annotations

import dataclasses
from typing import Any

import streamlit as st

from mimic.config import Config

QUOTES = "'\""


def help_of(config: type[Config], name: str) -> str:
    """A setting's help text: the command line's, without the sign that stands for "not given"."""
    return str(about(config, name).metadata["help"])


def about(config: type[Config], name: str) -> dataclasses.Field[Any]:
    """A setting's field."""
    return next(f for f in dataclasses.fields(config) if f.name == name)


def whole_or_empty(
    config: type[Config], name: str, label: str, bounds: tuple[int, int], key: str = ""
) -> int:
    """A whole-number setting that may stay empty.

    Args:
        config: the setting's config.
        name: the setting; its field says what it means to give nothing.
        label: of the widget.
        bounds: the lowest and the highest number.
        key: of the widget; the setting's own if left out.

    Returns:
        The number, or the sign that the library takes for "not given".
    """
    field = about(config, name)
    value = st.number_input(
        label, *bounds, value=None, key=key or f"{config.__name__}_{name}", persist_state="session",
        placeholder=field.metadata["unset"],
        help=f"{help_of(config, name)}. Left empty: {field.metadata['unset']}.",
    )  # fmt: skip
    sign: int = field.default  # type: ignore[assignment]
    return sign if value is None else int(value)


def typed(label: str, key: str, placeholder: str) -> str:
    """A path typed by the user, without the quotes that file managers copy along."""
    value = st.text_input(label, key=key, placeholder=placeholder, persist_state="session")
    return (value or "").strip().strip(QUOTES)
