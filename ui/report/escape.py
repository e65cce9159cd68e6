"""The only way anything reaches the report: as words or as data, never as markup."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from typing import Any

from ui import text
from ui.report.places import without_places

LONG = 2_000


def words(value: object, limit: int = LONG) -> str:
    """Any value as text of the page: hidden signs and folders dropped, markup made literal."""
    return html.escape(text.bare(without_places(str(value)), limit), quote=True)


def lines(value: object) -> str:
    """Text that keeps its line breaks, such as a note or a command."""
    return html.escape(text.code(value), quote=True)


def data(value: Any) -> str:
    """JSON inside a script element, which no word in it can end."""
    dumped = json.dumps(value, ensure_ascii=True, allow_nan=False)
    return dumped.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def picture(png: bytes) -> str:
    """A PNG as a data URI."""
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"


def script_hash(script: str) -> str:
    """The name under which a Content-Security-Policy allows one script and no other."""
    digest = hashlib.sha256(script.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
