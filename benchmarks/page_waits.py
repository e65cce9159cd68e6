"""How long each page of the demo makes a visitor wait when there is nothing to compute.

Three times a page, in a real browser and on a server that has shown every page before:

- click: from a press in the navigation until the script has ended;
- title: from the start of the navigation to an address until the page's title is on screen;
- whole: from the same start until the last change of the page's content, its charts included.

The browser keeps what it has fetched before, as a visitor's does. Each opening waits until the page
has rested for a second; that second does not count.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from ui import frame

PAGES = ("", *(page for page in frame.PAGES if page != "overview"))
PASSES = 10
OPENINGS = 5
RESTING = 1_000
"""Milliseconds without a change after which a page counts as whole."""
MOST = 30_000
CHROMIUM_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
SETTLED = "[data-testid='stApp'][data-test-script-state='notRunning']"
WATCH = """
window.titled = 0; window.changed = 0;
new MutationObserver(changes => {
  const main = document.querySelector('[data-testid="stMain"]');
  if (!main) return;
  const now = performance.now();
  const title = main.querySelector('h1');
  if (!window.titled && title && title.getBoundingClientRect().height) window.titled = now;
  if (changes.some(change => main.contains(change.target))) window.changed = now;
}).observe(document, {childList: true, subtree: true});
"""
"""Notes when the title came and when the page last gained or lost an element, both in milliseconds
since the navigation began."""
RESTS = f"""() => window.titled && performance.now() - window.changed > {RESTING}
  && document.querySelector("{SETTLED}")"""
Seconds = dict[str, list[float]]


def measure(runs: Path) -> tuple[dict[str, Seconds], float]:
    """Seconds by kind of wait and page, and the MiB the server's memory grew by over all passes.

    Args:
        runs: an empty folder of runs, so that there are the demo's only.
    """
    from playwright.sync_api import sync_playwright

    with server(runs) as (address, memory), sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"),
            args=CHROMIUM_FLAGS,
        )
        context = browser.new_context()
        clicks, grown = clicked(context, address, memory)
        titles, wholes = opened(context, address)
        browser.close()
    return {"click": clicks, "title": titles, "whole": wholes}, grown


@contextmanager
def server(runs: Path) -> Iterator[tuple[str, Any]]:
    """A fresh server's address, and what tells its memory."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    root = Path(__file__).resolve().parent.parent
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
        cwd=root,
        env={**os.environ, "MIMIC_RUNS": str(runs)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{address}/_stcore/health")
        yield address, psutil.Process(process.pid).memory_info
    finally:
        process.terminate()
        process.wait(10)


def clicked(context: Any, address: str, memory: Any) -> tuple[Seconds, float]:
    """Seconds from each press in the navigation; the first pass warms the server and is left out.

    Args:
        context: of a browser.
        address: the server's.
        memory: tells the server's memory.
    """
    view, times = context.new_page(), {page: [] for page in PAGES}
    view.goto(address)
    after = []
    for turn in range(PASSES + 1):
        for page in PAGES:
            view.wait_for_selector(SETTLED)
            link = view.locator(f"[data-testid='stSidebarNavLink'][href$='/{page}']").first
            began = time.perf_counter()
            link.click()
            view.wait_for_url(f"**/{page}*")
            view.wait_for_selector(SETTLED)
            if turn:
                times[page].append(time.perf_counter() - began)
        after.append(memory().rss / 2**20)
    view.close()
    return times, after[-1] - after[0]


def opened(context: Any, address: str) -> tuple[Seconds, Seconds]:
    """Seconds until each page's title stands and until all of it does, opened by its address."""
    titles: Seconds = {page: [] for page in PAGES}
    wholes: Seconds = {page: [] for page in PAGES}
    for _ in range(OPENINGS):  # In turns, so that a busy minute does not fall on one page.
        for page in PAGES:
            view = context.new_page()
            view.add_init_script(WATCH)
            view.goto(f"{address}/{page}", wait_until="commit")
            view.wait_for_function(RESTS, timeout=MOST, polling=50)
            titles[page].append(view.evaluate("window.titled / 1000"))
            wholes[page].append(view.evaluate("window.changed / 1000"))
            view.close()
    return titles, wholes


def wait_for(address: str) -> None:
    """Wait until the server answers."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(address, timeout=1):
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("The server did not start.")


def table(waits: dict[str, Seconds]) -> str:
    """The waits as a Markdown table: median, lowest and highest, a row per page."""
    lines = [
        "| seconds: median (lowest–highest) | after a click | opened: title | opened: all of it |",
        "|---|---|---|---|",
    ]
    for page in PAGES:
        cells = (told(waits[kind][page]) for kind in ("click", "title", "whole"))
        lines.append(f"| {frame.PAGES[page or 'overview'][0]} | {' | '.join(cells)} |")
    return "\n".join(lines)


def told(seconds: list[float]) -> str:
    """Median and range of some waits."""
    return f"{median(seconds):.2f} ({min(seconds):.2f}–{max(seconds):.2f})"
