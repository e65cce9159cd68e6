"""The way in for a file of one's own: the form, the way back to it, and an attempt that failed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import streamlit as st

from mimic.run import Run
from ui import (
    chosen_file,
    file_match,
    frame,
    inputs,
    jobs,
    live,
    subject,
    text,
    trigger_inputs,
)

RUN = "inspect_run"
"""The key of the inspection begun here; it is the name in the URL too."""
OPENED = "suspect_opened"
"""Key of how many inspections had been started when the form was opened last."""
BESIDE = "suspect_beside"
"""Key of an attempt and of the encoder that was chosen when it was first shown."""


FOR_TRIGGER = "suspect_for_trigger"
"""Key of the encoder that the form was opened for, to test a trigger on it."""


def show(chosen: subject.Subject | None, *, failed: bool) -> None:
    """The form, open until an inspection starts; from then on a button that opens it again.

    Args:
        chosen: the encoder that all pages speak of.
        failed: whether the inspection begun last has failed, so that one wants to try again.
    """
    if not is_open(chosen):
        icon = ":material/upload_file:"
        if failed:
            st.button(
                "Change the file or the settings", type="primary", icon=icon, on_click=open_form,
                key="suspect_change",
            )  # fmt: skip
        else:
            st.button("Inspect another file", icon=icon, on_click=open_form, key="suspect_another")
        return
    with st.container(border=True, key="suspect_form"), frame.errors_as_cards():
        st.header("Inspect an encoder of your own", anchor=False)
        st.markdown(
            "**Needed:** the encoder's file, nothing else. **Better with:** images like those it "
            "was trained on, and the trigger you suspect.  \n"
            "**What happens:** the file is read as plain numbers; no code in it is run and nothing "
            "leaves this machine. Mostly within a minute you see what it is, whether it works and, "
            "with a trigger, its attack success."
        )
        config = inputs.suspect()
        if config:
            jobs.start_button("Inspect", "inspect", config, RUN, icon=":material/search:")


def is_open(chosen: subject.Subject | None) -> bool:
    """Whether the form stands open: at first, until there is an encoder of one's own to look at."""
    usual = 0 if chosen is None or chosen.is_example else None
    return bool(st.session_state.get(OPENED, usual) == started())


def started() -> int:
    """How many inspections this visitor has started."""
    return int(st.session_state.get("inspect_started", 0))


def open_form() -> None:
    """Open the form again, all that was typed still in it. For callbacks."""
    st.session_state[OPENED] = started()
    st.session_state.pop(FOR_TRIGGER, None)


def offer_trigger(chosen: subject.Subject) -> None:
    """The way to test a trigger on an encoder that was inspected without one."""
    if chosen.has_trigger or chosen.is_example:
        return
    st.button(
        "Test a trigger on this encoder", type="primary", icon=":material/approval:",
        key="suspect_test_trigger", on_click=open_for_trigger, args=(chosen,),
    )  # fmt: skip


def open_for_trigger(chosen: subject.Subject) -> None:
    """Open the form at an inspected encoder's file, its trigger to be chosen. For callbacks."""
    open_form()
    chosen_file.take_over(chosen.fields)
    if st.session_state.get(trigger_inputs.KEY) in (None, "none"):
        st.session_state[trigger_inputs.KEY] = "square"
    st.session_state[FOR_TRIGGER] = chosen.run.id


def is_elsewhere(chosen: subject.Subject | None, run: Run | None) -> bool:
    """Whether the open form stands at another file than the result below it.

    Then that result would be taken for the new file's; so it would where the form was opened for
    a trigger, which the result has not seen.

    Args:
        chosen: the encoder whose result is shown.
        run: the attempt shown instead, if there is one.
    """
    if not is_open(chosen):
        return False
    shown = run or (chosen.run if chosen else None)
    if shown is None:
        return False
    known = str(subject.fields_of(shown).get("encoder", ""))
    asked_again = st.session_state.get(FOR_TRIGGER) == shown.id
    return bool(chosen_file.current()) and (not chosen_file.is_at(known) or asked_again)


@contextlib.contextmanager
def earlier(chosen: subject.Subject | None, run: Run | None) -> Iterator[None]:
    """What is shown inside goes under a fold while the form stands at another file."""
    if not is_elsewhere(chosen, run):
        yield
        return
    name = subject.file_name(run) if run else chosen.title if chosen else ""
    with st.expander(f"Earlier result: {text.plain(name)}"):
        yield


def attempt(run: Run | None, chosen: subject.Subject | None) -> Run | None:
    """An inspection without a result that is still to be looked at.

    One that was left behind by choosing another encoder is over.
    """
    if run is None or subject.has_result(run):
        return None
    beside = chosen.run.id if chosen else ""
    known = st.session_state.setdefault(BESIDE, (run.id, beside))
    if known[0] != run.id:
        known = st.session_state[BESIDE] = (run.id, beside)
    return run if known[1] == beside else None


def follow(run: Run, chosen: subject.Subject | None) -> None:
    """An inspection at work, or why it failed: alone, so that no earlier result is taken for it."""
    failed = not jobs.state_of(run).is_active
    name = text.plain(subject.file_name(run))
    st.header(f"Not inspected: {name}" if failed else f"Inspecting {name}", anchor=False)
    jobs.controls(run)
    live.follow(run, file_match.refused, done=subject.choose_next)
    if not failed:
        return
    if chosen is None:
        st.caption("The file was not used.")
        return
    st.caption(
        "The file was not used: every page still speaks of the encoder chosen before, "
        f"“{text.plain(chosen.title)}”."
    )
    st.button(
        "Show the encoder chosen before", icon=":material/undo:", on_click=leave, key="suspect_back"
    )


def leave() -> None:
    """Leave a failed attempt. For callbacks."""
    st.session_state.pop(RUN, None)
