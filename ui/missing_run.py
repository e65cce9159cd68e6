"""A run that the address names and that is not here: said in words, never replaced in silence."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from ui import address, text

OTHER_SHOWN = "Another one is shown instead: choose the one you mean, or look for it on Runs."
NONE_SHOWN = "Look for it on Runs, or make it anew below."


def adopt(name: str, options: Collection[str]) -> None:
    """Take over the run that the address names, see ``address.adopt``; note one that is missing.

    The note stays until another run is chosen or the visitor goes elsewhere.

    Args:
        name: the key, in the address and in the session.
        options: ids of the runs there are.
    """
    given, key = address.fresh(name), noted(name)
    address.adopt(name, options)
    if given and given not in options:
        st.session_state[key] = (given, st.session_state.get(name), st.context.url)
        return
    _, instead, where = st.session_state.get(key, ("", None, ""))
    if where != st.context.url or st.session_state.get(name) != instead:
        st.session_state.pop(key, None)


def tell(name: str, options: Collection[str], *, what: str = "a run") -> None:
    """Where one is missing: one sentence of cause, one of remedy.

    Args:
        name: as for ``adopt``.
        options: likewise.
        what: was named, with its article.
    """
    missing, _, where = st.session_state.get(noted(name), ("", None, ""))
    if missing:
        st.session_state[noted(name)] = (missing, st.session_state.get(name), where)
        st.info(
            f"**The address names {what} that is not here ({text.plain(missing, 48)}): deleted, "
            "of another encoder, or made on another machine.**  \n"
            f"{OTHER_SHOWN if options else NONE_SHOWN}",
            icon=":material/search_off:",
        )


def noted(name: str) -> str:
    """The key under which the session remembers what is missing."""
    return f"{name}_missing"
