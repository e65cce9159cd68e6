"""Who may talk to the server, and what a page may load: checks before Streamlit sees a request.

Streamlit's own checks leave three gaps. Its list of hosts guards the WebSocket only, so a name that
an attacker points at this machine (DNS rebinding) still reads files over HTTP. Its check of origins
compares host names without ports, so any other program's page on this machine may connect. And on
meeting a foreign origin it asks a server on the internet for this machine's own address.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REFUSED = b"This server answers only to its own pages. Open the address it printed when it started."
POLICY_VIOLATION = 1008
"""The WebSocket close code for a visitor who may not come in."""
HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::[0-9]{1,5})?")
"""A host header as browsers send it: a name or address, perhaps with a port."""
OWN_PAGES = {"same-origin", "none"}
"""What a browser says of a request that comes from the page itself or from its address bar."""


def host_allowed(host: str, allowed: Iterable[str]) -> bool:
    """Whether the request was sent to one of our own names, at any port, and to nothing more."""
    found = HOST.fullmatch(host.lower())
    return found is not None and found["name"].strip("[]").rstrip(".") in {
        one.strip("[]").lower().rstrip(".") for one in allowed
    }


def origin_allowed(origin: str | None, host: str, trusted: Iterable[str] = ()) -> bool:
    """Whether the request comes from a page of this very server: same host *and* port.

    Args:
        origin: the header; None where a program instead of a browser asks.
        host: the request's own host and port.
        trusted: further origins that the configuration names.
    """
    if origin is None or origin in set(trusted):
        return True
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and parts.netloc.lower() == host.lower()


def fetch_allowed(headers: Headers) -> bool:
    """Whether a browser fetches for our own page; another site may link here, but not embed."""
    site, mode = headers.get("sec-fetch-site", "none"), headers.get("sec-fetch-mode")
    return site in OWN_PAGES or mode in {"navigate", "websocket"}


@functools.cache
def own_inline_scripts() -> str:
    """Hashes of the scripts that stand in Streamlit's own page, which alone may run inline."""
    page = (Path(st.__file__).parent / "static" / "index.html").read_text(encoding="utf-8")
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in scripts]
    return " ".join(f"'sha256-{digest}'" for digest in digests)


def page_headers(host: str) -> dict[str, str]:
    """What the browser is told to refuse, should foreign text ever become markup.

    Charts need ``unsafe-eval`` (Vega compiles its expressions) and inline styles; foreign inline
    scripts and handlers such as ``onerror`` never run, and nothing is loaded from another host.
    """
    policy = {
        "default-src": "'self'",
        "script-src": f"'self' 'unsafe-eval' {own_inline_scripts()}",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "worker-src": "'self' blob:",
        "connect-src": f"'self' data: blob: ws://{host} wss://{host}",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return {
        "content-security-policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
    }


class Visitors:
    """Middleware that turns strangers away and sends the page's limits along.

    Args:
        app: what answers those who may come in.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or connection."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not (
            host_allowed(host, st.get_option("server.allowedHosts") or ())
            and origin_allowed(
                headers.get("origin"), host, st.get_option("server.corsAllowedOrigins") or ()
            )
            and fetch_allowed(headers)
        ):
            await refuse(scope, receive, send)
            return

        ended = False  # Whether the connection has been closed, by either side.

        async def receive_noting() -> Message:
            nonlocal ended
            message = await receive()
            ended = ended or message["type"] == "websocket.disconnect"
            return message

        async def send_with_limits(message: Message) -> None:
            nonlocal ended
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(page_headers(host))
            ended = ended or message["type"] == "websocket.close"
            try:
                await send(message)
            except OSError:
                ended = True
                raise

        try:
            await self.app(scope, receive_noting, send_with_limits)
        except RuntimeError:
            # Streamlit goes on reading from a connection that ended before it was accepted.
            if not (ended and scope["type"] == "websocket"):
                raise


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Turn a visitor away in one sentence, before anything is read."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": "refused"})
        return
    plain = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": 403, "headers": plain})
    await send({"type": "http.response.body", "body": REFUSED})
