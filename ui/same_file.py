"""That an inspected file is, byte for byte, one that was inspected before, and what was found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from mimic.subjects import DEFAULT, IDENTITY
from ui import runs_settings, subject, text, verdict
from ui.subject import Subject

MOST = 50
"""Inspections looked through, the newest first."""
FOUND = ("backdoor", "broken")
"""Levels that whoever inspected the same bytes otherwise has to know of."""


def telling(chosen: Subject) -> Subject | None:
    """Another inspection of the same bytes that tells more than this one, if there is one.

    Some file names say nothing, and an encoder inspected without its trigger looks harmless. So an
    inspection that found something comes first, and one of an example that ships with the project
    after it; an example itself needs no other.
    """
    if chosen.is_example:
        return None
    known = [subject.opened(run) for run in subject.inspected()[:MOST]]
    same = [
        one
        for one in known
        if one
        and subject.identity(one.fields) != subject.identity(chosen.fields)
        and one.result["encoder"].get("sha256") == chosen.result["encoder"].get("sha256")
    ]
    if not has_found(chosen):
        found = [one for one in same if has_found(one)]
        if found:
            return found[0]
    return next((one for one in same if one.is_example), None)


def has_found(one: Subject) -> bool:
    """Whether the verdict on it is one that its user has to know."""
    return verdict.on_suspect(one).level in FOUND


def twin_of(chosen: Subject) -> Subject | None:
    """A subject that was compared with this very file as its clean twin, if there is one."""
    sha256 = chosen.result["encoder"].get("sha256")
    for run in subject.inspected()[:MOST]:
        given = (run.about().get("inputs") or {}).get("clean_twin") or {}
        if sha256 and given.get("sha256") == sha256:
            return subject.opened(run)
    return None


def told(chosen: Subject) -> None:
    """A note on the same file's other inspection and the way there, if there is one."""
    one = telling(chosen)
    if one is None:
        compared = twin_of(chosen)
        if compared:
            st.info(
                "**The same file, byte for byte, as the clean twin** with which "
                f"“{text.plain(compared.title)}” was compared: whoever gave it there said that it "
                "was never attacked.",
                icon=":material/file_copy:",
            )
        return
    name = subject.told_apart(subject.inspected())[one.run.id]
    words = (
        f"**The same file, byte for byte, as “{text.plain(name)}”**, on which the verdict is: "
        f"{text.plain(verdict.on_suspect(one).title)}. {differing(chosen.fields, one.fields)}"
    )
    warns = has_found(one) and not has_found(chosen)
    if warns:
        words += " What stands below is all that this inspection alone can tell."
    (st.warning if warns else st.info)(words, icon=":material/file_copy:")
    st.button(
        "Show that inspection", icon=":material/arrow_forward:", key=f"same-file-{one.run.id}",
        on_click=subject.choose_next, args=(one.run,),
    )  # fmt: skip


def differing(here: Mapping[str, Any], there: Mapping[str, Any]) -> str:
    """The settings in which two inspections differ, and that figures differ for it."""
    names = [
        runs_settings.name(field)
        for field in IDENTITY
        if field != "encoder"
        and here.get(field, getattr(DEFAULT, field)) != there.get(field, getattr(DEFAULT, field))
    ]
    if not names:
        return ""
    listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    told = f"It was inspected with other settings ({listed}), so its figures may differ."
    if "normalization" in (f for f in IDENTITY if here.get(f) != there.get(f)):
        told += (
            " Normalisation is how colours are scaled; where none was given, what is usual for "
            "such files was taken, and the right one is its maker's."
        )
    return told
