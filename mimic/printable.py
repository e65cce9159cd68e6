"""Words of strangers without what steers a terminal or turns the order of reading.

Control characters can clear a screen or type for the user; signs such as U+202E show a name
backwards. Python calls both not printable.
"""

from __future__ import annotations

NAME_SIGNS = 60


def printable(text: str) -> str:
    """The text with a question mark in place of each such character, line ends among them."""
    return "".join(c if c.isprintable() else "?" for c in text)


def printable_lines(text: str) -> str:
    """Text of several lines, each of them printable."""
    return "\n".join(printable(line) for line in text.split("\n"))


def shown(name: str) -> str:
    """A foreign name fit for a sentence: printable and short."""
    plain = printable(name)
    return plain if len(plain) <= NAME_SIGNS else f"{plain[: NAME_SIGNS - 3]}..."
