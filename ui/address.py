"""Choices kept in the page's address, so that a reload or a link finds them again.

Streamlit's own binding writes an option's label, which changes while a run works; this writes the
id.
"""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st


def adopt(name: str, options: Collection[str]) -> None:
    """Before the widget with the key ``name``: take over an id the visitor's address names."""
    given = st.query_params.get(name)
    if given in options and given != st.session_state.get(f"{name}_in_address"):
        st.session_state[name] = given
    if st.session_state.get(name) not in (None, *options):
        del st.session_state[name]


def keep(name: str, value: str) -> None:
    """After the widget: write the id in use into the address."""
    st.session_state[f"{name}_in_address"] = value
    if st.query_params.get(name) != value:
        st.query_params[name] = value
