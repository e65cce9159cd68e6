"""The story's picture under a finger or a mouse, and every page's first sight."""

import pytest

from tests.browser.visits import whole
from ui.frame import PAGES

playwright_api = pytest.importorskip("playwright.sync_api")

PICTURE = '[data-testid="stVegaLiteChart"] svg'
DESKTOP, PHONE = {"width": 1280, "height": 1000}, {"width": 390, "height": 844}
SCROLLED = "document.querySelector('[data-testid=stMain]').scrollTop"

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("finger", [True, False])
def test_one_tap_of_a_finger_or_one_click_puts_the_sticker_there(
    browser, server, finger: bool
) -> None:
    context = browser.new_context(viewport=PHONE, has_touch=finger, is_mobile=finger)
    page = context.new_page()
    page.goto(f"{server}/story?step=2")
    whole(page)
    for across, down, row, column in ((0.75, 0.85, 10, 10), (0.3, 0.3, 2, 2), (0.6, 0.2, 0, 6)):
        box = page.locator(PICTURE).first.bounding_box()
        place = box["x"] + across * box["width"], box["y"] + down * box["height"]
        (page.touchscreen.tap if finger else page.mouse.click)(*place)
        playwright_api.expect(page.get_by_label("Row", exact=True)).to_have_value(str(row))
        playwright_api.expect(page.get_by_label("Column", exact=True)).to_have_value(str(column))
        for told in ("Tap the picture", "With the sticker it says"):
            box = page.get_by_text(told).first.bounding_box()
            assert 0 < box["y"] < box["y"] + box["height"] < PHONE["height"]
    context.close()


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_every_page_opens_at_its_top(browser, server, size: dict[str, int]) -> None:
    page = browser.new_context(viewport=size).new_page()
    page.goto(server)
    whole(page)
    for name in ("layers", "overview", "embeddings", "layers", "embeddings", "overview"):
        page.evaluate(f"{SCROLLED} = 1000")
        unfold = page.get_by_test_id("stExpandSidebarButton")
        if unfold.is_visible():
            unfold.click()
        link = page.get_by_test_id("stSidebarNavLink").filter(has_text=PAGES[name][0])
        where = link.evaluate("link => link.href")
        link.click()
        page.wait_for_url(where)  # A slow server answers late; until then the old page is whole.
        whole(page)
        assert page.evaluate(SCROLLED) == 0, name
    page.context.close()


@pytest.mark.parametrize("name", ["layers", "embeddings"])
def test_under_a_finger_a_charts_tools_stand_above_it_in_reach(browser, server, name: str) -> None:
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(f"{server}/{name}")
    whole(page)
    chart = page.get_by_test_id("stPlotlyChart").first
    tools = chart.locator(".modebar")
    tools.wait_for()
    tools.scroll_into_view_if_needed()
    here, drawn = tools.bounding_box(), chart.locator(".main-svg").first.bounding_box()
    assert here["y"] + here["height"] <= drawn["y"] + 1
    hit = "tool => tool.contains(document.elementFromPoint(...(b => [b.x + b.width / 2, b.y + "
    hit += "b.height / 2])(tool.getBoundingClientRect())))"
    assert chart.locator(".modebar-btn").first.evaluate(hit)
    context.close()
