"""How long people wait: one table of the delays a user meets, on this machine.

    python -m benchmarks.waiting                 # library part and app part
    python -m benchmarks.waiting --json out.json

Library: all-layer information, distillation, first and repeated UMAP on the demo, each as the app
runs it (a process of its own, start-up included). App: the time each page takes to answer when
there is nothing to compute, first by a click in the navigation and then opened anew (first paint:
from the page's frame to its last change of layout), and the server's memory over ten passes through
all pages (needs Chromium and the dev extra).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from mimic import job
from mimic.config import DistillConfig, EmbedConfig, InformationConfig
from mimic.run import Run
from mimic.subjects import recommended_distillation, subject_fields
from ui import frame

PAGES = ("", *(page for page in frame.PAGES if page != "overview"))
PASSES = 10
CHROMIUM_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--no-app", action="store_true", help="leave the app part out")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = library(Path(folder))
        if not options.no_app:
            rows |= app(Path(folder))
    print(f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}")
    for name, value in rows.items():
        print(f"{name:<58}{value:>10.2f}")
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def library(root: Path) -> dict[str, float]:
    """Seconds of the demo's jobs, from the press of the button."""
    fields: dict[str, Any] = {"subject": "demo", **subject_fields("demo")}
    suited: dict[str, Any] = recommended_distillation("demo")
    rows = {}
    information, seconds, _ = timed("information", InformationConfig(**fields), root)
    rows["information of all layers, teacher and random (s)"] = seconds
    config = DistillConfig(**fields, **suited, information=information.id)
    distilled, seconds, first = timed("distill", config, root)
    rows["distillation (s)"] = seconds
    rows["distillation: first point on the chart (s)"] = first
    embed = EmbedConfig(**fields, student=distilled.id)
    _, seconds, first = timed("embed", embed, root)
    rows["first UMAP on screen (s)"] = first
    rows["UMAP and PCA of five layers (s)"] = seconds
    _, seconds, _ = timed("embed", embed, root)
    rows["the same embedding once more (s)"] = seconds
    return rows


def timed(kind: str, config: Any, root: Path) -> tuple[Run, float, float]:
    """A job's run, its seconds, and the seconds to its first metric line."""
    began, first = time.perf_counter(), 0.0
    run = job.start(kind, config, root=root)
    while run.status().state != "finished":
        if not first and run.metrics():
            first = time.perf_counter() - began
        if run.status().state in ("failed", "interrupted"):
            raise SystemExit(f"{kind} failed: {run.status().cause} {run.status().remedy}")
        time.sleep(0.05)
    return run, time.perf_counter() - began, first


def app(folder: Path) -> dict[str, float]:
    """Median seconds until each page of the demo stands, and the server's memory growth."""
    from playwright.sync_api import sync_playwright

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    root = Path(__file__).resolve().parent.parent
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "streamlit",
            "run",
            str(root / "app.py"),
            "--server.port",
            str(port),
        ],
        cwd=root,
        env={**os.environ, "MIMIC_RUNS": str(folder / "none")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    times: dict[str, list[float]] = {page: [] for page in PAGES}
    try:
        wait_for(f"{address}/_stcore/health")
        memory = psutil.Process(server.pid).memory_info
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"),
                args=CHROMIUM_FLAGS,
            )
            view = browser.new_page()
            view.goto(address)
            settled = "[data-testid='stApp'][data-test-script-state='notRunning']"
            after = []
            for _ in range(PASSES + 1):
                for page in PAGES:
                    view.wait_for_selector(settled)
                    link = view.locator(f"[data-testid='stSidebarNavLink'][href$='/{page}']").first
                    began = time.perf_counter()
                    link.click()
                    view.wait_for_url(f"**/{page}*")
                    view.wait_for_selector(settled)
                    times[page].append(time.perf_counter() - began)
                after.append(memory().rss / 2**20)
            paints = {page: first_paint(browser, f"{address}/{page}") for page in PAGES}
            browser.close()
    finally:
        server.terminate()
        server.wait(10)
    rows = {f"page /{page} without work (s)": median(times[page][1:]) for page in PAGES}
    rows |= {f"page /{page} first paint (s)": value for page, value in paints.items()}
    return rows | {f"server memory growth over {PASSES} passes (MiB)": after[-1] - after[0]}


SETTLING = """() => {
  window.changed = window.began = performance.now();
  new MutationObserver(() => { window.changed = performance.now(); })
    .observe(document.querySelector('[data-testid="stMain"]'), {childList: true, subtree: true});
}"""
"""Notes when the page last gained or lost an element."""


def first_paint(browser: Any, address: str) -> float:
    """Median seconds from the page's empty frame to its last element, over five openings."""
    found = []
    for _ in range(5):
        view = browser.new_page()
        view.goto(address)
        view.wait_for_selector("[data-testid='stMain']", state="attached")
        view.evaluate(SETTLING)
        view.wait_for_selector("h1")
        view.wait_for_function("() => performance.now() - window.changed > 1500")
        found.append(view.evaluate("() => (window.changed - window.began) / 1000"))
        view.close()
    return median(found)


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


if __name__ == "__main__":
    main()
