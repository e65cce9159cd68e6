"""What every page shares: its head, the cards for errors and empty states, links to other pages."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from mimic.errors import MimicError
from ui import missing_run, mode, text

PAGES = {
    "story": ("Guided story", ":material/auto_stories:"),
    "overview": ("Overview", ":material/home:"),
    "suspect": ("Suspect encoder", ":material/policy:"),
    "layers": ("Layers", ":material/layers:"),
    "distil": ("Distil", ":material/science:"),
    "embeddings": ("Embeddings", ":material/scatter_plot:"),
    "runs": ("Runs", ":material/table_rows:"),
}
PENDING_ERROR, HERO = "pending_error", "to-the-story"
WIDTH, WIDE = 1240, 1900
"""Pixels of Simple and of Expert: on wider screens the page stays as wide and stands in the middle.
Charts and tables of Expert use all of it; lines of text end where they do in Simple, so that they
can be read: ``assets/look.css`` sees to that."""

EMPTY_SECONDS = 0.12
"""Long enough for a browser to draw the page once."""


def width() -> int:
    """Pixels that a page may take; on screens up to 1,440 wide both views take what there is."""
    return WIDE if mode.is_expert() else WIDTH


def from_the_top(what: str, shown: str) -> DeltaGenerator:
    """A place for what is shown, which the visitor reads from its top when it is another one.

    A browser stays scrolled down where one page replaces another of its length. So the place stays
    empty for a moment first: the page is then so short that the browser scrolls up. It keeps the
    place of what follows it, so a press on that counts, however much has come in above.

    Args:
        what: the place's name in the session.
        shown: which of the things that can stand there does.
    """
    key = f"{what}_shown"
    before, st.session_state[key] = st.session_state.get(key, shown), shown
    if before == shown:
        return st.container()
    place = st.empty()
    time.sleep(EMPTY_SECONDS)
    return place.container()


def head(title: str, *, see: str, why: str) -> None:
    """The page's title and, in plain words, what it shows and why that matters."""
    st.title(title, anchor=False)
    st.markdown(f"**What you see.** {see}  \n**Why it matters.** {why}")
    missing_run.tell("subject", st.session_state.get("subject") or (), what="an encoder")
    pending_error()


def pending_error() -> None:
    """The card of an error that a callback met."""
    pending = st.session_state.pop(PENDING_ERROR, None)
    if pending:
        error_card(*pending)


def error_card(cause: str, remedy: str) -> None:
    """One sentence of cause, one of remedy."""
    st.error(f"**{text.sentence(cause)}**  \n{text.sentence(remedy)}", icon=":material/error:")


def warnings(result: Mapping[str, Any]) -> None:
    """The doubts beside a result, all in one card, where there are any."""
    found = [text.sentence(doubt) for doubt in result.get("warnings") or ()]
    if found:
        st.warning(
            "To be read with care:\n" + "\n".join(f"- {doubt}" for doubt in found),
            icon=":material/warning:",
        )


@contextlib.contextmanager
def errors_as_cards() -> Iterator[None]:
    """Show a ``MimicError`` raised inside as a card; the rest of the page goes on."""
    try:
        yield
    except MimicError as error:
        error_card(error.cause, error.remedy)


def remember_error(error: MimicError) -> None:
    """Show an error at the top of the next run: callbacks cannot draw."""
    st.session_state[PENDING_ERROR] = (error.cause, error.remedy)


def empty(missing: str, action: str, page: str | None = None) -> None:
    """An empty state that says what to do, with the way there."""
    with st.container(border=True):
        st.markdown(f"**{missing}** {action}")
        if page:
            link(page)


def link(page: str, label: str | None = None, **address: str) -> None:
    """A link to another page, with what its address should name."""
    title, icon = PAGES[page]
    st.page_link(
        f"../pages/{page}.py", label=label or title, icon=icon, query_params=address or None
    )


def go(page: str) -> None:
    """Switch to another page."""
    st.switch_page(f"../pages/{page}.py")


def story_hero(*, newcomer: bool) -> None:
    """The way to the guided story: large for someone who has not run anything yet.

    Args:
        newcomer: whether no run of their own exists.
    """
    if not newcomer:
        if st.button("Open the guided story", icon=PAGES["story"][1], type="primary", key=HERO):
            go("story")
        return
    with st.container(border=True):
        st.header("New here? See a backdoor work, and see it removed", anchor=False)
        st.markdown(
            "Five short steps, under three minutes: put a sticker on a picture, watch the encoder "
            "fall for it, clean it, and try again."
        )
        if st.button("Start the guided story", icon=PAGES["story"][1], type="primary", key=HERO):
            go("story")


def no_subject() -> None:
    """The empty state of every page that needs a subject."""
    empty("No encoder is chosen.", "Inspect one first; that takes a few seconds.", "suspect")
