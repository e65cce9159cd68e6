"""Choices kept in the page's address, so that a reload or a link finds them again.

Streamlit's own binding writes an option's label, which changes while a run works; this writes its
id, and only when the choice or the page has changed, so that the browser's Back leads back.
"""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st


def adopt(name: str, options: Collection[str]) -> None:
    """Before the widget with the key ``name``: take over an id the visitor's address names."""
    given = st.query_params.get(name)
    _, written = st.session_state.get(f"{name}_in_address", ("", None))
    if given in options and given != written:
        st.session_state[name] = given
    if st.session_state.get(name) not in (None, *options):
        del st.session_state[name]


def keep(name: str, value: str | None) -> None:
    """After the widget: write the chosen id into the address; None, the default, stays out."""
    now = (st.context.url, value)
    if st.session_state.get(f"{name}_in_address") == now:
        return
    st.session_state[f"{name}_in_address"] = now
    if value is None:
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != value:
        st.query_params[name] = value
