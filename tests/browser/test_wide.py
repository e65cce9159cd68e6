"""A wide screen: experts' charts use it, lines of text stay as short as they were."""

import pytest

from tests.browser.visits import whole

pytestmark = pytest.mark.slow

WIDTHS = """() => {
  const of = selector => [...document.querySelectorAll('[class*="st-key-page"] ' + selector)]
    .map(found => Math.round(found.getBoundingClientRect().width));
  return {charts: of('[data-testid="stPlotlyChart"]'), text: of('[data-testid="stMarkdown"]')};
}"""


def widths(browser, address: str, width: int) -> dict[str, list[int]]:
    page = browser.new_context(viewport={"width": width, "height": 1200}).new_page()
    page.goto(address)
    page.locator('[data-testid="stPlotlyChart"] svg').first.wait_for(timeout=60_000)
    whole(page)
    return page.evaluate(WIDTHS)


def test_experts_charts_use_a_wide_screen_and_text_does_not(browser, server) -> None:
    expert = widths(browser, f"{server}/layers?mode=expert", 2560)
    simple = widths(browser, f"{server}/layers", 2560)
    assert max(expert["charts"]) == 1900
    assert max(simple["charts"]) == 1240
    assert max(expert["text"]) <= 1240


def test_up_to_1440_pixels_both_views_are_as_wide_as_each_other(browser, server) -> None:
    expert = widths(browser, f"{server}/layers?mode=expert", 1439)
    simple = widths(browser, f"{server}/layers", 1439)
    assert max(expert["charts"]) == max(simple["charts"])
