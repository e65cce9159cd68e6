"""Brushing in the real app: a loop in one map, the other map, the images; and 10,000 points."""

import re
import time
from pathlib import Path

import numpy as np
import pytest

from mimic.config import EmbedConfig
from mimic.run import Run
from mimic.subjects import subject_fields
from tests.browser.visits import whole as settled

MINUTE = 60_000
LARGE = 10_000
TOLD = re.compile(r"^([\d,]+) images: each clean, then with the trigger")

pytestmark = pytest.mark.slow


def write_large(root: Path) -> None:
    """An embedding of 10,000 images in ten groups; the triggered ones gather before cleaning."""
    config = EmbedConfig(
        **subject_fields("demo"), student="demo-distill", points=LARGE, layers=("features",)
    )
    run = Run.create(root, "embed", config, run_id="embed-large")
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, LARGE)
    images = rng.integers(0, 255, (LARGE, 16, 16, 3)).astype(np.uint8)
    one = np.ones(LARGE, dtype=int)
    run.write_arrays(
        "points", images=images, stamped=images, labels=labels, before_clean=labels,
        before_triggered=one, after_clean=labels, after_triggered=labels,
    )  # fmt: skip
    angle = labels * 2 * np.pi / 10
    centres = 6 * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    for projection in ("pca", "umap"):
        noise = rng.normal(size=(4, LARGE, 2))
        run.write_arrays(
            f"features-{projection}",
            before_clean=(centres + noise[0]).astype(np.float32),
            before_triggered=(noise[1] + 9).astype(np.float32),
            after_clean=(centres + noise[2]).astype(np.float32),
            after_triggered=(centres + noise[3]).astype(np.float32),
        )
    run.write_json("result.json", {"layers": ["features"], "numbers": {}, "class_names": []})
    run.write_json("status.json", {"state": "finished", "progress": 1.0})


@pytest.fixture(scope="module")
def address(runs_folder: Path, server: str) -> str:
    """A server whose only own run is the large embedding."""
    runs_folder.mkdir(exist_ok=True)
    write_large(runs_folder)
    return server


@pytest.fixture
def page(visitor):
    visitor.set_viewport_size({"width": 1360, "height": 1000})
    visitor.set_default_timeout(MINUTE)
    return visitor


def selected(page) -> int:
    told = page.get_by_text(TOLD).inner_text()
    return int(TOLD.match(told)[1].replace(",", ""))


def loop(page, number: int, corners: tuple[float, float, float, float]) -> None:
    """Draw a loop around a part of a map, given in shares of its width and height."""
    chart = page.locator(".js-plotly-plot").nth(number)
    chart.scroll_into_view_if_needed()
    box = chart.locator(".nsewdrag").first.bounding_box()
    left, top, right, bottom = corners
    path = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top + 0.01)]
    for step, (x, y) in enumerate(path):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
        if step == 0:
            page.mouse.down()
    page.mouse.up()


def strong_ids(page, number: int) -> list[int]:
    """Ids of the images one map draws at full strength, as the browser has them."""
    return page.evaluate(
        """number => {
          const plot = document.querySelectorAll('.js-plotly-plot')[number];
          const strong = plot._fullData.filter(trace => trace.marker.opacity === 1);
          return [...new Set(strong.flatMap(trace => Array.from(trace.customdata)))];
        }""",
        number,
    )


def wait_for_strong(page, number: int, count: int) -> None:
    page.wait_for_timeout(200)
    for _ in range(150):
        if len(strong_ids(page, number)) == count:
            return
        page.wait_for_timeout(200)
    raise AssertionError(f"map {number} does not stress {count} images")


def test_a_loop_in_either_map_stresses_the_other_and_fills_the_gallery(page, address) -> None:
    page.goto(f"{address}/embeddings?embed_run=demo-embed")
    page.locator(".js-plotly-plot").nth(1).wait_for()
    settled(page)
    loop(page, 0, (0.05, 0.05, 0.55, 0.5))
    page.get_by_text(TOLD).wait_for()
    first = selected(page)
    wait_for_strong(page, 1, first)
    assert strong_ids(page, 0) == []  # The map one draws in is left as it is.
    page.locator('[data-testid="stImage"] img').nth(3).wait_for()

    loop(page, 1, (0.03, 0.5, 0.97, 0.97))  # From a spot where no class is named
    page.wait_for_function(
        "old => ![...document.querySelectorAll('p')].some(p => p.innerText.startsWith(old))",
        arg=f"{first} images: each",
    )
    second = selected(page)
    assert second != first
    wait_for_strong(page, 0, second)

    page.get_by_text("Other layers, other ways to draw the map").click()
    page.get_by_role("radio", name="PCA").click()
    wait_for_strong(page, 1, second)
    assert selected(page) == second
    page.get_by_role("button", name="Clear selection").click()
    page.get_by_text(TOLD).wait_for(state="detached")


def test_a_loop_outlives_a_reload_and_shows_in_a_second_browser(page, browser, address) -> None:
    page.goto(f"{address}/embeddings?embed_run=demo-embed")
    page.locator(".js-plotly-plot").nth(1).wait_for()
    settled(page)
    loop(page, 0, (0.05, 0.05, 0.55, 0.5))
    page.get_by_text(TOLD).wait_for()
    count = selected(page)
    wait_for_strong(page, 1, count)
    chosen = sorted(strong_ids(page, 1))
    page.wait_for_url("**images=*")
    page.reload()
    other = browser.new_context().new_page()
    other.goto(page.url)
    for view in (page, other):
        view.get_by_text(TOLD).wait_for(timeout=MINUTE)
        settled(view)
        assert selected(view) == count
        for number in (0, 1):
            wait_for_strong(view, number, count)
            assert sorted(strong_ids(view, number)) == chosen
    other.context.close()


def test_a_class_is_selected_with_the_keyboard_alone(page, address) -> None:
    page.goto(f"{address}/embeddings?embed_run=demo-embed")
    page.locator(".js-plotly-plot").nth(1).wait_for()
    settled(page)
    page.get_by_label("Select classes", exact=True).focus()
    page.keyboard.type("4")
    page.keyboard.press("Enter")
    page.get_by_text(TOLD).wait_for()
    count = selected(page)
    wait_for_strong(page, 0, count)
    wait_for_strong(page, 1, count)
    page.keyboard.press("Escape")  # An open list hides the page behind it from readers.
    page.get_by_role("button", name=re.compile(r"Image \d+$")).first.focus()
    page.keyboard.press("Enter")
    page.get_by_text("Most similar clean images").wait_for()


def test_ten_thousand_images_are_drawn_and_switched_without_an_error(page, address) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{address}/embeddings?embed_run=embed-large")
    page.locator(".js-plotly-plot").nth(1).wait_for()
    settled(page)
    drawn = "() => document.querySelectorAll('.js-plotly-plot')[1]._fullData?.[0].type"
    assert page.evaluate(drawn) == "scattergl"
    started = time.monotonic()
    page.get_by_text("Other layers, other ways to draw the map").click()
    page.get_by_role("radio", name="PCA").click()
    page.get_by_text("PCA 1 (no unit)").nth(1).wait_for()
    settled(page)
    # Seconds on an idle machine without a graphics card; shared ones are many times slower.
    assert time.monotonic() - started < 60
    page.get_by_label("Select image numbers", exact=True).fill("0-4999")
    page.keyboard.press("Enter")
    page.get_by_text(TOLD).wait_for()
    assert selected(page) == 5_000
    wait_for_strong(page, 1, 5_000)
    assert not errors
