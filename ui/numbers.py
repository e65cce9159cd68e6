"""Numbers as people read them. Files hold fractions and seconds; only here they become percent."""

from __future__ import annotations

import datetime
import time
from collections.abc import Sequence

NOTHING = "–"


def percent(share: float | None) -> str:
    """A share of 1 as percent with one decimal, or a dash where there is none."""
    return NOTHING if share is None else f"{100 * share:.1f}%"


def interval(bounds: Sequence[float] | None) -> str:
    """A confidence interval of shares."""
    return NOTHING if bounds is None else f"{100 * bounds[0]:.1f}–{100 * bounds[1]:.1f}%"


def success(share: float, bounds: Sequence[float] | None, floor: float | None) -> str:
    """An attack success rate with its interval and the floor, as far as they are known."""
    told = percent(share)
    if bounds is not None:
        told += f" ({interval(bounds)})"
    return told if floor is None else f"{told}, floor {percent(floor)}"


def points(share: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    return f"{100 * share:+.1f} points"


def change(before: float, after: float) -> str:
    """From one share to another in percentage points, as the two look when written out."""
    return points(round(after, 3) - round(before, 3))


def duration(seconds: float | None) -> str:
    """A time span in its two largest units."""
    if seconds is None:
        return NOTHING
    if 0 < seconds < 1:
        return "less than 1 s"
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def left(seconds: float) -> str:
    """The time left, as coarse as such a guess deserves: finer figures jump with every glance."""
    if seconds < 10:
        return "a few seconds left"
    if seconds < 55:
        return "less than a minute left"
    if seconds < 3570:
        minutes = max(1, round(seconds / 60))
        return f"about {minutes} min left"
    halves = round(seconds / 1800)
    return f"about {halves // 2}{'½' if halves % 2 else ''} h left"


def moment(seconds: float) -> str:
    """A moment as day and time of this machine's clock, such as 3 May, 14:07."""
    then = datetime.datetime.fromtimestamp(seconds, tz=datetime.UTC).astimezone()
    return f"{then.day} {then:%b, %H:%M}"


def ago(moment: float, *, now: float | None = None) -> str:
    """How long ago a moment was."""
    span = (time.time() if now is None else now) - moment
    if span < 60:
        return "just now"
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        count = int(span // length)
        if count:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def count(number: int) -> str:
    """A count with thousands separated."""
    return f"{number:,}"


def size(byte_count: float) -> str:
    """A file size."""
    for unit in ("B", "kB", "MB"):
        if byte_count < 1000:
            return f"{byte_count:.0f} {unit}" if unit == "B" else f"{byte_count:.1f} {unit}"
        byte_count /= 1000
    return f"{byte_count:.1f} GB"


def in_words(count: int) -> str:
    """A small number as a word, a larger one in digits."""
    words = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    return words[count - 2] if 2 <= count <= len(words) + 1 else str(count)
