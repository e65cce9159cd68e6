"""How long work still takes, from the pace it has shown."""

from __future__ import annotations

import math

SHORTEST = 0.5
"""Seconds between two looks at the pace; what is told more often is gathered."""
MEMORY = 0.25
"""The pace forgets what lies longer back than this share of the time worked."""
LEAST_MEMORY = 4.0
"""Seconds."""


class TimeLeft:
    """The time left of work that tells its share done (0 to 1) now and then.

    The stages of a job have different paces, and a guess at their proportions is wrong on some
    machine. So the newest pace counts most: an exponentially weighted mean of the shares done per
    second, with a memory that grows with the time worked and steadies the figure.
    """

    def __init__(self) -> None:
        self._first: float | None = None
        self._then, self._share = 0.0, 0.0
        self._pace: float | None = None

    def after(self, now: float, share: float) -> float | None:
        """Seconds left; None while no pace is known.

        Args:
            now: seconds on any clock that does not go back.
            share: done so far. The time until the first share above 0 is start-up and says nothing
                about the time left.
        """
        if self._first is None:
            if share > 0:
                self._first, self._then, self._share = now, now, share
            return None
        span = now - self._then
        if span >= SHORTEST and share >= self._share:
            newest = (share - self._share) / span
            memory = max(LEAST_MEMORY, MEMORY * (now - self._first))
            weight = 1 - math.exp(-span / memory)
            old = newest if self._pace is None else self._pace
            self._pace = old + weight * (newest - old)
            self._then, self._share = now, share
        return None if not self._pace else max(0.0, (1 - share) / self._pace)
