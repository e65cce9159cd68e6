"""Choices kept in the page's address, so that a reload or a link finds them again.

Streamlit's own binding writes an option's label, which changes while a run works; this writes its
id, and only when the choice or the page has changed, so that the browser's Back leads back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import streamlit as st

WRITTEN = "_in_address"
"""Ends the key under which a session remembers what it wrote into the address itself."""
PAGE = "page_at_hand"


def adopt(name: str, options: Collection[str]) -> None:
    """Before the widget with the key ``name``: take over an id the visitor's address names."""
    given = fresh(name)
    if given in options:
        st.session_state[name] = given
    if st.session_state.get(name) not in (None, *options):
        del st.session_state[name]


def fresh(name: str) -> str | None:
    """What the address holds under a name, unless this session wrote it itself."""
    given = st.query_params.get(name)
    _, written = st.session_state.get(f"{name}{WRITTEN}", ("", None))
    return given if given != written else None


def arrive(page: str) -> None:
    """Before all else: on another page than before, what stands in the address was asked for.

    What this session wrote there is no longer taken for its own, or a link to the same choice, made
    after a newer one came up, would be passed over.
    """
    if st.session_state.get(PAGE) != page:
        st.session_state[PAGE] = page
        for key in [k for k in st.session_state if str(k).endswith(WRITTEN)]:
            del st.session_state[key]


def keep(name: str, value: str | None) -> None:
    """After the widget: write the chosen id into the address; None, the default, stays out."""
    keep_all({name: value})


def keep_all(chosen: Mapping[str, str | None]) -> None:
    """Write several choices at once: one step for the browser's Back, not one for each."""
    new = {}
    for name, value in chosen.items():
        now = (st.context.url, value)
        if st.session_state.get(f"{name}{WRITTEN}") == now:
            continue
        st.session_state[f"{name}{WRITTEN}"] = now
        if value is None:
            st.query_params.pop(name, None)
        elif st.query_params.get(name) != value:
            new[name] = value
    if new:
        st.query_params.update(new)
