"""The guided story from a cold start, as a visitor takes it: real server, browser and jobs."""

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from mimic import job
from mimic.run import list_runs
from tests.browser.film import Film
from ui.story.steps import TITLES

playwright_api = pytest.importorskip("playwright.sync_api")

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
LIMIT = 180.0
"""Seconds from starting the server to the sticker on the cleaned encoder."""
SIZE = {"width": 1280, "height": 1000}
PICTURE = '[data-testid="stVegaLiteChart"] svg'
SCROLLED = "document.querySelector('[data-testid=stMain]').scrollTop"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path(CHROMIUM).is_file(), reason="there is no Chromium"),
]


class Walk:
    """A visitor who presses what a step offers; keeps pictures where a folder is named."""

    def __init__(self, page, folder: str | None) -> None:
        self.page, self.folder = page, folder

    def press(self, name: str) -> None:
        with self.telling(f"“{name}” could not be pressed"):
            self.page.get_by_role("button", name=name).last.click()

    def see(self, text: str, seconds: float = 30) -> None:
        with self.telling(f"“{text}” was not to be seen within {seconds:.0f} s"):
            self.page.get_by_text(text).first.wait_for(timeout=1000 * seconds)

    def next(self, step: int) -> None:
        """Press Next once it stands out, and wait until the next step's heading stands there."""
        title = TITLES[str(step)]
        with self.telling(f"step {step} was not reached"):
            # By its whole name: the step before's Next stands there until the page is whole.
            self.primary(f"Next: {title.lower()}").click()
            self.page.get_by_role("heading", name=title, exact=True).wait_for()
        with self.telling(f"step {step} stays scrolled down"):
            self.page.wait_for_function(f"{SCROLLED} === 0", timeout=10_000)

    def primary(self, name: str):
        """The one button that stands out, as soon as it is this one."""
        standing_out = self.page.locator('[data-testid="stMain"]').get_by_test_id(
            "stBaseButton-primary"
        )
        # As it is written: “Clean it” is not “Next: clean it”, which stands there a moment longer.
        found = standing_out.filter(has_text=re.compile(re.escape(name)))
        with self.telling(f"“{name}” is not the one thing to press"):
            found.wait_for(timeout=120_000)
            playwright_api.expect(standing_out).to_have_count(1)
        return found

    @contextlib.contextmanager
    def telling(self, what: str) -> Iterator[None]:
        """Let a failure tell what the page showed instead."""
        try:
            yield
        except (playwright_api.Error, AssertionError) as error:
            shown = self.page.locator('[data-testid="stApp"]').inner_text()
            raise AssertionError(f"{what}: {error}\n\nThe page shows:\n{shown}") from error

    def tap(self, across: float, down: float) -> None:
        """Tap the enlarged picture at shares of its width and height."""
        box = self.page.locator(PICTURE).first.bounding_box()
        self.page.mouse.click(box["x"] + across * box["width"], box["y"] + down * box["height"])

    def picture(self, name: str) -> None:
        if self.folder:
            self.page.wait_for_timeout(600)
            self.page.screenshot(path=Path(self.folder) / f"story-{name}.png")


def test_the_story_takes_under_three_minutes_from_a_cold_start(tmp_path: Path) -> None:
    pictures = os.environ.get("MIMIC_PICTURES")
    if pictures:
        Path(pictures).mkdir(parents=True, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    runs, address = tmp_path / "runs", f"http://127.0.0.1:{port}"
    started = time.monotonic()
    with (tmp_path / "log.txt").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
            cwd=ROOT, env={**os.environ, "MIMIC_RUNS": str(runs)}, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        wait_until_healthy(address)
        marks = take_the_walk(address, pictures, started)
    finally:
        for run in list_runs(runs):
            job.stop(run, wait=True)  # Jobs outlive the server on purpose.
        server.terminate()
        server.wait(20)
    told = (tmp_path / "log.txt").read_text()
    assert "Traceback" not in told, told
    reached = ", ".join(f"{name} at {at:.0f} s" for name, at in marks.items())
    sys.stdout.write(f"\nThe story: {reached}\n")
    assert marks["the last sticker"] < LIMIT, f"{reached}; load average {os.getloadavg()}"


def wait_until_healthy(address: str) -> None:
    for _ in range(240):
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health") as answer:
                if answer.status == 200:
                    return
        except urllib.error.URLError:
            time.sleep(0.25)
    raise AssertionError("the server did not start")


def take_the_walk(address: str, pictures: str | None, started: float) -> dict[str, float]:
    """Walk all five steps; seconds since the start at which each was reached."""
    marks: dict[str, float] = {}

    def mark(name: str) -> None:
        marks[name] = time.monotonic() - started

    with playwright_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = chromium.new_context(viewport=SIZE)
        walk = Walk(context.new_page(), pictures)
        film = Film(walk.page) if pictures else None
        walk.page.goto(address)
        walk.see("New here?")
        walk.picture("0-welcome")
        mark("the first page")
        walk.press("Start the guided story")
        walk.see("Step 1 of 5")
        walk.see("It is right on 355 of 359 test pictures")
        walk.press("Show another picture")
        walk.picture("1-meet")
        walk.next(2)
        walk.see("Without the sticker it says")
        walk.tap(0.75, 0.85)
        walk.see("With the sticker it says 1")
        walk.picture("2-sticker")
        mark("the first sticker")
        walk.next(3)
        walk.see("of the information; an encoder never attacked")
        walk.picture("3-lost")
        walk.next(4)
        walk.primary("Clean it").click()
        mark("cleaning")
        with walk.telling("no figures appeared"):
            walk.page.get_by_test_id("stMetric").first.wait_for(timeout=120_000)
        walk.picture("4-cleaning")
        walk.see("Cleaned just now", 150)
        mark("cleaned")
        walk.picture("4-cleaned")
        walk.next(5)
        walk.see("The cleaned encoder says", 120)
        walk.tap(0.75, 0.3)
        walk.see("the sticker fools the suspect on")
        walk.see("Where to go next")
        mark("the last sticker")
        walk.picture("5-again")
        assert walk.page.get_by_test_id("stException").count() == 0
        if film and pictures:
            film.write(Path(pictures) / "story.webp")
        context.close()
        chromium.close()
    return marks
