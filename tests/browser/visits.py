"""What visitors do on every walk: open a page, wait for it, start a job that only pretends."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ui.frame import PAGES

ROOT = Path(__file__).resolve().parents[2]
WIDTHS = (390, 768, 1280, 1920, 2560)
SETTLED = '[data-testid="stApp"][data-test-script-state="notRunning"]'
CHART = '[data-testid="stVegaLiteChart"] svg, .js-plotly-plot .main-svg'


def address_of(page, server: str, name: str) -> str:
    """Where the navigation says that a page is."""
    if page.url == "about:blank":
        page.goto(server)
    titles = page.locator('[data-testid="stSidebarNavLink"]')
    titles.first.wait_for(state="attached")
    for link in titles.all():
        if link.text_content().endswith(PAGES[name][0]):
            return link.evaluate("link => link.href")
    raise AssertionError(f"the navigation has no {PAGES[name][0]}")


def open_page(page, server: str, name: str) -> None:
    """Open a page and wait until all of it is drawn."""
    page.goto(address_of(page, server, name))
    whole(page)


def whole(page) -> None:
    """Wait until no script runs, the title stands, and the page's height rests for a second."""
    page.locator("h1").first.wait_for()
    page.locator(SETTLED).wait_for()
    page.wait_for_function(
        """() => {
          const tall = document.querySelector('[data-testid="stMain"]').scrollHeight;
          const known = window.restingHeight || [0, 0];
          if (tall !== known[0]) window.restingHeight = [tall, Date.now()];
          return tall === known[0] && Date.now() - known[1] > 1000;
        }""",
        polling=100,
    )
    assert page.locator('[data-testid="stException"]').count() == 0


def unfold(page) -> None:
    """Make the window as high as the page: what lies below the fold is not looked at otherwise."""
    tall = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": page.viewport_size["width"], "height": min(tall + 40, 9000)})
    whole(page)


@contextlib.contextmanager
def pretended_job(
    runs: Path, run_id: str, *, epochs: int = 400, pace: float = 0.5
) -> Iterator[subprocess.Popen[bytes]]:
    """A job at work on the demo while the block lasts."""
    words = [str(runs), run_id, str(epochs), str(pace)]
    process = subprocess.Popen([sys.executable, "-m", "tests.browser.fake_work", *words], cwd=ROOT)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)
