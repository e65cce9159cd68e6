"""A visitor's walk through the real app: real server, real browser, real jobs."""

import os
import re
from pathlib import Path

import pytest

PAGES = {
    "story": "story",
    "overview": "",
    "suspect": "suspect",
    "layers": "layers",
    "distil": "distil?run=demo-distill",
    "embeddings": "embeddings?student=demo-distill",
    "runs": "runs?runs=demo-distill",
}
TITLES = {
    "story": "A backdoor in five steps",
    "overview": "MIMIC Studio",
    "suspect": "Suspect encoder",
    "layers": "Layers",
    "distil": "Distil",
    "embeddings": "Embeddings",
    "runs": "Runs",
}
LOOKS = {
    "": ({"width": 1360, "height": 900}, "light"),
    "-dark": ({"width": 1360, "height": 900}, "dark"),
    "-phone": ({"width": 390, "height": 844}, "light"),
}
MINUTE = 60_000

pytestmark = pytest.mark.slow


def heading(page, title: str) -> None:
    page.get_by_role("heading", name=title, exact=True).wait_for()


def settled(page) -> None:
    """Wait until no script runs and nothing shows an error."""
    page.locator('[data-test-script-state="notRunning"]').wait_for()
    assert page.locator('[data-testid="stException"]').count() == 0


def state(page, word: str, timeout: float = MINUTE) -> None:
    badge = page.locator('[data-testid="stMain"]').get_by_text(re.compile(rf"^\s*\w+ {word}$"))
    badge.first.wait_for(timeout=timeout)


def picture(page, name: str) -> None:
    """Keep the whole page as a picture, where a folder for that is named."""
    folder = os.environ.get("MIMIC_PICTURES")
    if not folder:
        return
    width = page.viewport_size["width"]
    tall = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    page.set_viewport_size({"width": width, "height": min(tall + 16, 4200)})
    page.wait_for_timeout(1200)
    Path(folder).mkdir(parents=True, exist_ok=True)
    page.screenshot(path=Path(folder) / f"{name}.png")


def test_a_deep_link_on_a_fresh_server_shows_the_whole_app(visitor, server) -> None:
    visitor.goto(f"{server}/layers")
    heading(visitor, "Layers")
    settled(visitor)
    links = visitor.locator('[data-testid="stSidebarNav"]').get_by_role("link")
    assert [link.inner_text().split("\n")[-1] for link in links.all()] == [
        "Guided story", "Overview", "Suspect encoder", "Layers", "Distil", "Embeddings", "Runs",
    ]  # fmt: skip


def test_the_demo_fills_all_five_pages(visitor, server) -> None:
    visitor.goto(server)
    heading(visitor, "MIMIC Studio")
    visitor.get_by_text("Backdoor likely").first.wait_for()
    for name, title in TITLES.items():
        if name == "overview":
            continue
        visitor.locator('[data-testid="stSidebarNav"]').locator(f'a[href$="/{name}"]').click()
        heading(visitor, title)
        settled(visitor)
        assert visitor.locator('[data-testid="stAlertContentError"]').count() == 0


def test_one_loop_around_points_shows_the_images_behind_them(visitor, server) -> None:
    visitor.goto(f"{server}/embeddings")
    chart = visitor.locator(".js-plotly-plot").first
    chart.wait_for()
    settled(visitor)
    box = chart.locator(".nsewdrag").first.bounding_box()
    corners = [(0.02, 0.02), (0.98, 0.02), (0.98, 0.98), (0.02, 0.98), (0.02, 0.03)]
    for step, (x, y) in enumerate(corners):
        visitor.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
        if step == 0:
            visitor.mouse.down()
    visitor.mouse.up()
    visitor.get_by_text("each clean, then with the trigger").wait_for()
    visitor.locator('[data-testid="stImage"] img').nth(5).wait_for()


def test_r10_a_distillation_survives_a_reload_stops_resumes_and_ends_in_a_picture(
    visitor, server
) -> None:
    visitor.goto(f"{server}/distil?mode=expert")
    heading(visitor, "Distil")
    visitor.get_by_text("Clean this encoder").click()
    visitor.get_by_label("Epochs", exact=True).fill("240")
    visitor.keyboard.press("Enter")
    visitor.get_by_text("--epochs 240").wait_for()
    visitor.get_by_role("button", name="Start", exact=False).last.click()
    visitor.wait_for_url("**run=distill-*")
    run_id = visitor.url.split("run=")[1].split("&")[0]
    visitor.get_by_text("Loss terms").wait_for(timeout=3 * MINUTE)

    visitor.reload()
    state(visitor, "running")
    assert run_id in visitor.url
    visitor.get_by_text(f"run {run_id}").wait_for()
    picture(visitor, "distil-live")

    visitor.get_by_role("button", name="Stop").click()
    state(visitor, "stopped", 2 * MINUTE)
    visitor.get_by_role("button", name="Resume").click()
    state(visitor, "finished", 15 * MINUTE)  # Seconds on an idle machine.
    heading(visitor, "Before and after")

    visitor.get_by_role("link", name="See the embeddings before and after").click()
    heading(visitor, "Embeddings")
    visitor.get_by_label("Images", exact=True).fill("40")
    visitor.keyboard.press("Enter")
    visitor.get_by_text("--points 40").wait_for()
    visitor.get_by_role("button", name="Compute", exact=False).last.click()
    visitor.get_by_text("After: the cleaned encoder").wait_for(timeout=4 * MINUTE)
    visitor.get_by_role("heading", name="Numbers beside the pictures").wait_for(timeout=6 * MINUTE)
    settled(visitor)


@pytest.mark.parametrize("look", list(LOOKS), ids=["light", "dark", "phone"])
def test_no_page_overflows_its_window(browser, server, look: str) -> None:
    size, scheme = LOOKS[look]
    context = browser.new_context(viewport=size, color_scheme=scheme)
    page = context.new_page()
    for name, path in PAGES.items():
        page.set_viewport_size(size)
        page.goto(f"{server}/{path}")
        heading(page, TITLES[name])
        page.wait_for_timeout(2500)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], name
        picture(page, f"{name}{look}")
    context.close()
