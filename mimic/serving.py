"""Serving the app: to this machine alone, unless someone says otherwise in so many words."""

from __future__ import annotations

import ipaddress
import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil

from mimic.errors import ConfigError

LOOPBACK = "127.0.0.1"
EVERYWHERE = ("0.0.0.0", "::", "")
CODE_ROOT = Path(__file__).resolve().parent.parent
WARNING = (
    "WARNING: the app has no password. Whoever can reach {address} can read every run of this "
    "machine, upload files and start jobs as you. Put an authenticating proxy in front, or leave "
    "--expose out."
)


def is_loopback(address: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return address == "localhost" or ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def own_names(address: str) -> list[str]:
    """Names under which browsers may ask for the app, so that no foreign name leads to it."""
    names = ["localhost", LOOPBACK]
    if address in EVERYWHERE:
        names += [socket.gethostname()]
        names += [
            a.address.split("%")[0]
            for found in psutil.net_if_addrs().values()
            for a in found
            if a.family in (socket.AF_INET, socket.AF_INET6)
        ]
    else:
        names += [address]
    return list(dict.fromkeys(names))


def command(*, port: int, address: str, expose: bool, open_browser: bool) -> list[str]:
    """The command that serves the app.

    Raises:
        ConfigError: if others could reach the address and ``expose`` does not say so.
    """
    if not is_loopback(address) and not expose:
        raise ConfigError(
            f"Other machines could reach the app at {address}, and it has no password.",
            "Leave --address out, or add --expose if that is what you want.",
        )
    words = [
        sys.executable, "-m", "streamlit", "run", str(CODE_ROOT / "app.py"),
        "--server.port", str(port),
        "--server.headless", str(not open_browser).lower(),
    ]  # fmt: skip
    if address != LOOPBACK:
        shown = socket.gethostname() if address in EVERYWHERE else address
        words += ["--server.address", address]
        # Without a name, Streamlit asks a server on the internet what to print.
        words += ["--browser.serverAddress", shown]
        for name in own_names(address):
            words += ["--server.allowedHosts", name]
    return words


def serve(
    root: Path, *, port: int, address: str = LOOPBACK, expose: bool = False,
    open_browser: bool = True,
) -> None:  # fmt: skip
    """Serve the app until it is ended.

    Args:
        root: folder of runs.
        port: where to listen.
        address: of the network interface to listen on.
        expose: allow an address that other machines can reach.
        open_browser: show the app in a browser window.

    Raises:
        ConfigError: if it cannot be served there.
    """
    words = command(port=port, address=address, expose=expose, open_browser=open_browser)
    if not is_loopback(address):
        sys.stderr.write(WARNING.format(address=address) + "\n")
    environment = {**os.environ, "MIMIC_RUNS": str(root.resolve())}
    try:
        code = subprocess.run(words, cwd=CODE_ROOT, env=environment, check=False).returncode
    except KeyboardInterrupt:
        code = 0
    if code != 0:
        raise ConfigError("The app could not be served.", "Choose another --port or --address.")
