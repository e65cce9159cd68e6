"""One run on the Runs page: what it was, its note, its link and command, what can be done."""

from __future__ import annotations

import functools

import streamlit as st

from mimic.comparison import machine_of
from mimic.config import PUBLIC_PREFIX, resolve_path
from mimic.errors import MimicError
from mimic.paths import is_regular
from mimic.run import Run, is_bundled, versions
from mimic.run.notes import NOTE_LIMIT
from ui import (
    frame,
    jobs,
    mode,
    numbers,
    report_button,
    run_list,
    runs_actions,
    runs_choice,
    runs_settings,
    subject,
    text,
    uploads,
    whose,
)
from ui.runs_entry import Entry


def show(entry: Entry, owner: str | None) -> None:
    """Everything about one run.

    Args:
        entry: the run.
        owner: id of an inspection of the same subject, if there is one.
    """
    run = entry.run
    kind = jobs.KINDS.get(entry.kind, text.plain(entry.kind))
    with st.container(border=True):
        st.header(f"{kind} of {text.plain(entry.subject)}", anchor=False)
        with st.container(horizontal=True, vertical_alignment="center"):
            jobs.badge(entry.status)
            st.caption(" · ".join(facts(entry)))
        if entry.status.cause:
            frame.error_card(*map(uploads.as_given, (entry.status.cause, entry.status.remedy)))
        actions(run, entry, owner)
        left, right = st.columns(2, gap="large")
        with left:
            note(run)
        with right:
            with st.container() if mode.is_expert() else st.expander("The same in a terminal"):
                command(run)
            runs_choice.permalink(runs=run.id)
        record(run, entry.kind)


def facts(entry: Entry) -> list[str]:
    """When, how long, with which seed, on what, and the key figures."""
    said = [f"run {text.plain(entry.run.id)}", f"begun {numbers.ago(entry.started)}"]
    if entry.duration is not None:
        said.append(numbers.duration(entry.duration))
    if entry.seed is not None and mode.is_expert():
        said.append(whose.seed(entry.run))
    if entry.status.device and mode.is_expert():
        said.append(f"on {computed_on(entry)}")
    if entry.accuracy is not None:
        said.append(f"accuracy {numbers.percent(entry.accuracy)}")
    if entry.asr is not None:
        told = numbers.success(entry.asr, entry.asr_interval, entry.floor_asr)
        plain = told if mode.is_expert() else told.replace("floor", "clean twin")
        said.append(f"attack success {plain}")
    if is_bundled(entry.run):
        said.append("ships with the project")
    return said


def computed_on(entry: Entry) -> str:
    """Device and number format, as far as they were recorded."""
    precision = machine_of(entry.run)["precision"]
    words = (entry.status.device, precision) if precision else (entry.status.device,)
    return ", ".join(text.plain(word) for word in words)


def actions(run: Run, entry: Entry, owner: str | None) -> None:
    """Open, report, rerun, stop or resume, delete."""
    gone = file_gone(run)
    with st.container(horizontal=True, vertical_alignment="center"):
        if entry.kind in run_list.SHOWN_ON:
            page, key = run_list.SHOWN_ON[entry.kind]
            address = {key: run.id, **({"subject": owner} if owner else {})}
            frame.link(page, f"Open on {frame.PAGES[page][0]}", **address)
        if not entry.status.is_active:  # Runs at work have their Stop above the table.
            jobs.controls(run)
        anew = "Run again, new seed" if mode.is_expert() else "Run again, other random choices"
        for label, new_seed, why in (
            ("Run again", False, gone or "The same settings and the same seed, as a new run."),
            (anew, True, gone or "The same settings, another seed drawn at random."),
        ):
            st.button(
                label, icon=":material/replay:", key=f"rerun-{new_seed}-{run.id}", help=why,
                disabled=bool(gone),
                on_click=functools.partial(runs_actions.rerun, run, new_seed=new_seed),
            )  # fmt: skip
        report_button.offer(run)
        kept = is_bundled(run) or entry.status.is_active
        st.button(
            "Delete", icon=":material/delete:", key=f"delete-{run.id}", disabled=kept,
            on_click=runs_actions.delete, args=(run,),
            help="Runs at work and runs that ship with the project cannot be deleted."
            if kept else "Moves the run to the trash, from where it can be brought back.",
        )  # fmt: skip


def file_gone(run: Run) -> str:
    """Why a run cannot be made again: its encoder's file is no longer there; else nothing."""
    file = str(subject.fields_of(run).get("encoder", ""))
    if not file or file.startswith(PUBLIC_PREFIX):
        return ""
    try:
        if is_regular(resolve_path(file)):
            return ""
    except MimicError as error:  # It lies outside the folders that may be read here.
        return f"{text.sentence(error.cause)} {text.sentence(error.remedy)}"
    return (
        f"The file {text.plain(subject.file_name(run))} is no longer there: it was refused, moved "
        "or deleted. Choose it again on the page Suspect encoder."
    )


def note(run: Run) -> None:
    """The note, to be read and changed."""
    if is_bundled(run):
        st.caption("This run ships with the project and keeps no notes. Run it again to have one.")
        return
    key = f"note-{run.id}"
    with st.form(f"note-form-{run.id}", border=False):
        st.text_area(
            "Note", value=text.code(run.note()), key=key, max_chars=NOTE_LIMIT, height=110,
            placeholder="What was this run for, and what came of it?",
        )  # fmt: skip
        st.form_submit_button(
            "Save note", icon=":material/save:", on_click=runs_actions.note, args=(run, key)
        )


def command(run: Run) -> None:
    """The command that does the same in a terminal; none where it would name a lost upload."""
    gone = uploads.gone(run.about()["config"])
    if gone:
        st.caption(
            f"No command repeats this run: the uploaded file {text.plain(', '.join(gone))} is no "
            "longer stored. Upload it again on the page “Suspect encoder”."
        )
        return
    st.caption(
        "The same in a terminal, from the project's folder; it gives the same figures on the "
        "same kind of machine:"
    )
    try:
        line = jobs.in_terminal(run.kind, run.config())
    except MimicError as error:
        frame.error_card(error.cause, error.remedy)
        return
    st.code(text.code(line), language="bash", wrap_lines=True)


MACHINE = {
    "device": "device", "threads": "CPU threads", "precision": "number format",
    "processor": "processor", "instructions": "CPU instructions", "processes": "processes",
}  # fmt: skip
"""What the facts of a run's machine are called, see ``mimic.comparison.MACHINE``."""


def recorded(fact: object) -> str:
    """A fact of the machine; where it was not kept, that is no evidence of equality."""
    return "not recorded" if fact is None else value(fact)


def record(run: Run, kind: str) -> None:
    """Settings, inputs with their hashes, the machine, and library versions."""
    about = run.about()
    with st.expander("Settings, inputs, machine and versions"):
        left, right = st.columns(2, gap="large")
        left.dataframe(
            [
                {"setting": runs_settings.name(k), "value": runs_settings.shown(kind, k, v)}
                for k, v in about["config"].items()
            ],
            hide_index=True,
        )
        right.dataframe(
            [
                {"input": text.cell(name), "SHA-256": text.cell(noted.get("sha256", ""))}
                for name, noted in (about.get("inputs") or {}).items()
            ],
            hide_index=True,
        )
        right.dataframe(
            [
                {"machine": MACHINE[name], "value": recorded(fact)}
                for name, fact in machine_of(run).items()
            ],
            hide_index=True,
        )
        right.dataframe(
            [
                {"component": text.cell(versions.called(name)), "version": text.cell(version)}
                for name, version in (about.get("versions") or {}).items()
            ],
            hide_index=True,
        )


def value(fact: object) -> str:
    """A fact in a table."""
    return numbers.NOTHING if fact is None else text.cell(fact if fact != "" else "not set", 160)
