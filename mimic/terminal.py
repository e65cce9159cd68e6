"""What a verb prints while it works, to a person or to a program that may stop reading."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from mimic.run.time_left import TimeLeft


class ReaderGone(Exception):  # noqa: N818 - as little an error as a request to stop
    """The program that reads what is printed has ended: there is nobody left to tell."""


def say(*words: str, stream: TextIO | None = None) -> None:
    """Print a line at once; without words only what was held back.

    Signals are left alone: ended by SIGPIPE, a job would lose its work and a server would die with
    any visitor's connection.
    """
    try:
        print(*words, end="\n" if words else "", file=stream or sys.stdout, flush=True)
    except BrokenPipeError as error:
        raise ReaderGone from error


class ProgressLine:
    """One line on a terminal, rewritten in place at most twice a second; silent elsewhere."""

    def __init__(self) -> None:
        self._written = time.monotonic()
        self._left = TimeLeft()

    def __call__(self, share: float, message: str) -> None:
        """Show the share done and the time left."""
        now = time.monotonic()
        left = self._left.after(now, share)
        if not sys.stderr.isatty() or now - self._written < 0.5:
            return
        self._written = now
        tail = "" if left is None else f", {left:.0f} s left"
        print(f"\r{share:4.0%} {message}{tail}\033[K", end="", file=sys.stderr)
