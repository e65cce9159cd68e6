"""Whose numbers stand on a page: the run that made them, its seed, and the encoders it shows."""

from __future__ import annotations

import contextlib

import streamlit as st

from mimic import sweep
from mimic.config import SweepConfig
from mimic.errors import MimicError
from mimic.run import Run, find_run
from ui import jobs, mode, subject, text, uploads

GONE = "an encoder whose run is not here any more"


def told(run: Run) -> None:
    """One line beside the numbers of a run: for experts all of it, else the cleaned encoder's."""
    words = in_full(run) if mode.is_expert() else in_short(run)
    if words:
        st.caption(words)


def in_full(run: Run) -> str:
    """Run, seed, suspect and, where there is one, the student's run and seed."""
    said = [f"Run {text.plain(run.id)}", seed(run), f"suspect {text.plain(subject.file_name(run))}"]
    given = student(run)
    if given:
        found, name = opened(given), text.plain(name_of(given))
        if found:
            said.append(f"cleaned encoder of run {name} ({seed(found)})")
        else:
            said.append(f"cleaned encoder {name}" if is_file(given) else f"{name}, {GONE}")
    return " · ".join(said)


def in_short(run: Run) -> str:
    """Which cleaned encoder is shown; nothing where none is."""
    given = student(run)
    if not given:
        return ""
    found = opened(given)
    if found:
        return f"“Cleaned” is the encoder of the cleaning {text.plain(jobs.label(found))}."
    return f"“Cleaned” is {text.plain(name_of(given)) if is_file(given) else GONE}."


def student(run: Run) -> str:
    """The student a run looked at: a run's id or folder, or a file; nothing where there is none."""
    return str(run.about()["config"].get("student") or "").rstrip("/")


def name_of(given: str) -> str:
    """The id of a run, or the name of a file as its owner knows it."""
    name = given.rsplit("/", 1)[-1]
    return uploads.as_given(name) if is_file(given) else name


def is_file(given: str) -> bool:
    """Whether a student is an encoder's file: a run's id has no dot."""
    return "." in given.rsplit("/", 1)[-1]


def opened(given: str) -> Run | None:
    """The run of a student, unless it is gone or there never was one."""
    try:
        return find_run(given)
    except MimicError:
        return None


def seeds(run: Run) -> list[object]:
    """The seeds behind a run: one, but of a sweep all that it trained with."""
    if run.kind == "sweep":
        with contextlib.suppress(MimicError):
            config = run.config()
            if isinstance(config, SweepConfig):
                return list(sweep.seeds(config))
    return [run.about()["config"].get("seed", 0)]


def seed(run: Run) -> str:
    """The run's seed, or a sweep's seeds, in words."""
    found = seeds(run)
    return f"seed{'s' * (len(found) > 1)} {text.plain(', '.join(map(str, found)))}"
