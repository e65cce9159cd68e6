"""What the walks through the real app share: a server and its runs, a browser, a visitor."""

import os
import shutil
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

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="module")
def runs_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs folder of the server, empty at first."""
    return tmp_path_factory.mktemp("server") / "runs"


@pytest.fixture(scope="module")
def server(runs_folder: Path) -> Iterator[str]:
    """The address of a fresh server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = runs_folder.parent
    address = f"http://127.0.0.1:{port}"
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)],
            cwd=ROOT,
            env={**os.environ, "MIMIC_RUNS": str(runs_folder)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_until_healthy(address)
        yield address
    finally:
        for run in list_runs(runs_folder):
            job.stop(run, wait=True)  # Jobs outlive the server on purpose.
        process.terminate()
        process.wait(20)
        shutil.rmtree(runs_folder, ignore_errors=True)
    told = (folder / "log.txt").read_text()
    assert "Traceback" not in told, told
    assert "Session State API" not in told, told  # A widget with two first values.


def wait_until_healthy(address: str) -> None:
    for _ in range(120):
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health") as answer:
                if answer.status == 200:
                    return
        except urllib.error.URLError:
            time.sleep(0.25)
    raise AssertionError("the server did not start")


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    """A headless browser; without one the walks are skipped."""
    if not Path(CHROMIUM).is_file():
        pytest.skip("there is no Chromium")
    playwright_api = pytest.importorskip("playwright.sync_api")
    with playwright_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def visitor(browser, server):
    """A page whose requests are watched: nothing but this machine may be asked."""
    context = browser.new_context(viewport={"width": 1360, "height": 900})
    page = context.new_page()
    page.set_default_timeout(30_000)
    foreign: list[str] = []

    def watch(request) -> None:
        if not request.url.startswith((server, server.replace("http", "ws"), "data:", "blob:")):
            foreign.append(request.url)

    def listen(message) -> None:  # What the page's own policy stopped counts as asked, too.
        if "Content Security Policy" in message.text:
            foreign.append(message.text)

    page.on("request", watch)
    page.on("console", listen)
    yield page
    context.close()
    assert not foreign
