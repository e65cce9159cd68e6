"""A job begun elsewhere shows up in the sidebar of a page that nobody touches."""

import pytest

from tests.browser.test_live_work import WATCH_SHIFTS
from tests.browser.visits import pretended_job, whole

pytestmark = pytest.mark.slow

FOCUSED = "document.activeElement.getAttribute('aria-label') || document.activeElement.innerText"


def test_a_job_from_elsewhere_is_told_without_a_jump_or_lost_focus(
    visitor, server, runs_folder
) -> None:
    visitor.goto(f"{server}/runs")
    whole(visitor)
    sidebar = visitor.locator('[data-testid="stSidebar"]')
    line = sidebar.get_by_text("Cleaning of Demo")
    assert line.count() == 0
    visitor.get_by_label("Search", exact=True).focus()
    focused = visitor.evaluate(FOCUSED)
    visitor.evaluate(f"{WATCH_SHIFTS} window.main = document.querySelector('h1');")
    with pretended_job(runs_folder, "distill-elsewhere"):
        line.wait_for(timeout=20_000)
        first = line.inner_text()
        visitor.wait_for_function(
            "told => ![...document.querySelectorAll('[data-testid=stSidebar] p')]"
            ".some(p => p.innerText === told)",
            arg=first,
            timeout=20_000,
        )
    sidebar.get_by_text(": interrupted.").wait_for(timeout=20_000)
    assert visitor.evaluate(FOCUSED) == focused
    assert visitor.evaluate("window.shifts.reduce((sum, one) => sum + one, 0)") < 0.01
    assert visitor.evaluate("window.main.isConnected")  # The page itself was not drawn anew.
