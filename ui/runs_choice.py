"""Which runs are chosen on the Runs page: ticked in the table, picked by name, or named by a link.

The picked names are the truth; the table's ticks follow them, and so does the address.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from urllib.parse import urlsplit, urlunsplit

import streamlit as st

from ui import address, mode, text

ADDRESS = "runs"
CHOSEN = "runs_chosen"
TICKS = "runs_ticks"
"""Counts how often the table has to be ticked anew."""
MISSING = "runs_missing"
"""Runs that the address named and that are not here, and the choice made without them."""
MOST_NAMED = 3


def adopt(known: Collection[str]) -> None:
    """Before any widget: take over runs that the visitor's address names; drop those that went."""
    given = st.query_params.get(ADDRESS)
    _, written = st.session_state.get(f"{ADDRESS}_in_address", ("", None))
    if given and given != written:
        named = dict.fromkeys(given.split(","))
        st.session_state[CHOSEN] = [run for run in named if run in known]
        missing = [run for run in named if run and run not in known]
        st.session_state[MISSING] = (missing, chosen())
        retick()
    kept = [run for run in st.session_state.get(CHOSEN, []) if run in known]
    if kept != st.session_state.get(CHOSEN, []):
        st.session_state[CHOSEN] = kept
        retick()


def tell_missing() -> None:
    """Say which runs of the address are not here, until something else is chosen."""
    missing, kept = st.session_state.get(MISSING, ([], []))
    if not missing or kept != chosen():
        return
    named = ", ".join(text.plain(run, 40) for run in missing[:MOST_NAMED])
    more = f" and {len(missing) - MOST_NAMED} more" if len(missing) > MOST_NAMED else ""
    several = len(missing) > 1
    st.info(
        f"The address names {'runs that are' if several else 'a run that is'} not here "
        f"({named}{more}): deleted, or made on another machine. Look into the trash at the end of "
        "this page, or choose others in the table.",
        icon=":material/search_off:",
    )


def chosen() -> list[str]:
    """Ids of the chosen runs, the first one picked first."""
    return list(st.session_state.get(CHOSEN, []))


def choose(runs: Sequence[str]) -> None:
    """Choose runs from a callback."""
    st.session_state[CHOSEN] = list(runs)
    retick()


def retick() -> None:
    """Let the table show the ticks of what is chosen, instead of the ones it had."""
    st.session_state[TICKS] = st.session_state.get(TICKS, 0) + 1


def table_key(ids: Sequence[str]) -> str:
    """The table's key: with other rows or another choice it is another table."""
    return f"runs-table-{st.session_state.get(TICKS, 0)}-{hash(tuple(ids)) & 0xFFFFFFFF:x}"


def ticked(key: str, ids: Sequence[str]) -> None:
    """Take over the table's ticks; runs that a filter hides stay chosen. Use as a callback."""
    rows = st.session_state[key]["selection"]["rows"]
    now = [ids[row] for row in rows if row < len(ids)]
    kept = [run for run in chosen() if run in now or run not in ids]
    st.session_state[CHOSEN] = [*kept, *(run for run in now if run not in kept)]


def picker(labels: dict[str, str]) -> list[str]:
    """Chosen runs by name: the way to choose without the table."""
    picked = st.multiselect(
        "Chosen runs",
        list(labels),
        format_func=lambda run: labels.get(run, run),
        key=CHOSEN,
        persist_state="session",
        placeholder="tick rows above, or pick runs here",
        on_change=retick,
        help="One run shows its details; two or more are compared with the first.",
    )
    address.keep(ADDRESS, ",".join(picked) or None)
    return picked


def permalink(**named: str) -> None:
    """The full address of this view, to be copied."""
    if mode.is_expert():
        named["mode"] = mode.EXPERT
    here = urlsplit(st.context.url or "")
    query = "&".join(f"{name}={value}" for name, value in named.items() if value)
    st.caption("Link to this view:")
    whole = urlunsplit((here.scheme, here.netloc, here.path, query, ""))
    st.code(text.code(whole), language=None, wrap_lines=True)
