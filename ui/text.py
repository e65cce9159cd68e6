"""Foreign text: names and messages that came with files of strangers."""

from __future__ import annotations

import re
import unicodedata

from mimic.config import without_home

LIMIT = 80
SENTENCE = 400
MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$:&@^=])")
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories without a visible sign: control, format (bidi, zero-width), separators."""
LINKS = re.compile(r"(://|www\.|@)", re.IGNORECASE)
JOINER = "\u2060"
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


def bare(value: object, limit: int = LIMIT) -> str:
    """Strip control and bidi characters and shorten: for places that show text as it is.

    ``<`` becomes ``‹``, because Plotly reads tags in its labels.
    """
    spaced = " ".join(without_home(str(value)).split())
    visible = "".join(c for c in spaced if unicodedata.category(c) not in HIDDEN)
    visible = visible.replace("<", "‹").replace(">", "›")
    return visible if len(visible) <= limit else visible[: limit - 1] + "…"


def code(value: object) -> str:
    """For code blocks, which show every sign: only what cannot be seen is dropped."""
    return "".join(c for c in str(value) if c == "\n" or unicodedata.category(c) not in HIDDEN)


def cell(value: object, limit: int = LIMIT) -> str:
    """For tables, which a visitor may save as CSV: no spreadsheet takes it for a formula."""
    shown = bare(value, limit)
    return f"'{shown}" if shown.startswith(FORMULA) else shown


def plain(value: object, limit: int = LIMIT) -> str:
    """The one way foreign text reaches Markdown: stripped, shortened, every sign of it literal."""
    unlinked = LINKS.sub(lambda m: m.group()[0] + JOINER + m.group()[1:], bare(value, limit))
    return MARKDOWN.sub(r"\\\1", unlinked)


def sentence(value: object) -> str:
    """A cause or a remedy, which may quote a file's name, as safe Markdown."""
    return plain(value, SENTENCE)
