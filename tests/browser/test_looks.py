"""Every page from a phone to a wall, and in the other colours without a reload."""

import pytest

from tests.browser.visits import WIDTHS, open_page, unfold, whole
from ui.frame import PAGES

pytestmark = pytest.mark.slow

READABLE = 1300
"""Pixels: nothing on a page is wider."""


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    yield context.new_page()
    context.close()


def cut(page) -> list[str]:
    """Labels and headings whose text does not fit, and what reaches out of the window."""
    return page.evaluate(
        """() => {
          const main = document.querySelector('[data-testid="stMain"]');
          const told = [];
          for (const e of main.querySelectorAll('p, h1, h2, h3, button, summary, img, label')) {
            const box = e.getBoundingClientRect();
            if (!box.width || !e.checkVisibility({opacityProperty: true})) continue;
            const own = getComputedStyle(e);
            const inside = e.closest('[data-testid="stDataFrame"], .js-plotly-plot, .vega-embed');
            if (!inside && (box.right > innerWidth + 1 || box.left < -1))
              told.push(`outside: ${e.outerHTML.slice(0, 160)}`);
            if (own.textOverflow === 'ellipsis' && e.scrollWidth > e.clientWidth + 1)
              told.push(`cut: ${e.innerText}`);
          }
          return told;
        }"""
    )


@pytest.mark.parametrize("name", PAGES)
def test_no_width_cuts_a_page_or_makes_it_scroll_sideways(page, server, name: str) -> None:
    open_page(page, server, name)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        whole(page)
        page.wait_for_function(  # The sidebar slides to its place first.
            """() => [document.scrollingElement, document.querySelector('[data-testid="stMain"]')]
                 .every(e => e.scrollWidth <= Math.min(e.clientWidth, innerWidth))""",
            timeout=10_000,
        )
        assert cut(page) == [], width
        widest = page.evaluate(
            """() => Math.max(...[...document.querySelectorAll('.st-key-page *')]
                 .map(e => e.getBoundingClientRect().width))"""
        )
        assert widest <= READABLE, width


@pytest.mark.parametrize("name", PAGES)
def test_the_theme_switches_while_a_page_is_open(page, server, name: str) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    open_page(page, server, name)
    unfold(page)
    shades = []
    for scheme in ("light", "dark", "light"):
        page.emulate_media(color_scheme=scheme)
        page.wait_for_timeout(500)
        whole(page)
        shades.append(
            page.evaluate(
                """() => ['[data-testid="stApp"]', 'h1', '.stVegaLiteChart svg'].map(s => {
                     const e = document.querySelector(s);
                     return e && [getComputedStyle(e).backgroundColor, getComputedStyle(e).color];
                   })"""
            )
        )
    assert shades[0] == shades[2]
    ground, text = shades[0][0], shades[1][0]
    assert ground[0] != text[0], "the background follows"
    assert ground[1] != text[1], "the text follows"
    assert not errors
    assert page.locator('[data-testid="stException"]').count() == 0


@pytest.mark.parametrize("width", [390, 700])
def test_the_storys_steps_are_framed_and_its_picture_is_square_where_space_is_short(
    page, server, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(f"{server}/story?step=2")
    whole(page)
    unframed = page.evaluate(
        """() => [...document.querySelectorAll('[data-variant="segmented_control"]')].flatMap(e =>
             ['Top', 'Right', 'Bottom', 'Left']
               .filter(s => getComputedStyle(e)[`border${s}Color`] === 'rgba(0, 0, 0, 0)')
               .map(s => `${e.innerText}: ${s}`))"""
    )
    assert unframed == []
    picture = page.locator('[class*="st-key-story_board"]').bounding_box()
    assert (picture["width"], picture["height"]) == (256, 256)
    column = page.locator('[data-testid="stColumn"]').nth(1).bounding_box()
    gap = column["y"] - picture["y"] - picture["height"]
    assert gap == 16 if width == 390 else column["y"] == picture["y"]
    below = [picture["x"] + 40, picture["y"] + picture["height"] + 8]
    assert not page.evaluate(
        "([x, y]) => document.elementFromPoint(x, y).closest('[class*=st-key-story_board]')", below
    )
