"""Names as a sentence lists them."""

from __future__ import annotations

from collections.abc import Sequence


def enumerated(names: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``; nothing for none."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
