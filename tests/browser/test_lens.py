"""Looking into a layer in the real app: by keyboard, and with a look that is really computed."""

import hashlib

import pytest

from tests.browser.test_walk import MINUTE, heading, settled

pytestmark = pytest.mark.slow

SUSPECT = '[data-testid="stImage"] img[alt*="the suspect on the triggered image"]'


def picture_of(page) -> str:
    """A digest of the first of the suspect's maps, as the browser has it."""
    tile = page.locator(SUSPECT).first
    tile.wait_for()
    return hashlib.sha256(page.request.get(tile.evaluate("e => e.src")).body()).hexdigest()


def test_a_layer_chosen_by_keyboard_changes_maps_sentence_and_band(visitor, server) -> None:
    visitor.goto(f"{server}/layers")
    heading(visitor, "Look into a layer")
    visitor.get_by_text("In layer2 the suspect puts").wait_for(timeout=MINUTE)
    settled(visitor)
    before = picture_of(visitor)
    visitor.locator(".st-key-focus_layer").get_by_role("radio", name="layer2").focus()
    visitor.keyboard.press("ArrowRight")
    visitor.keyboard.press("Space")
    visitor.get_by_text("In layer3 the suspect puts").wait_for()
    visitor.wait_for_url("**focus_layer=layer3**")
    settled(visitor)
    assert picture_of(visitor) != before
    assert visitor.locator(f"{SUSPECT}[alt*='layer3']").count() == 4
    visitor.reload()
    visitor.get_by_text("In layer3 the suspect puts").wait_for(timeout=MINUTE)


def test_a_look_is_started_and_shown_when_it_ends(visitor, server) -> None:
    visitor.goto(f"{server}/layers?mode=expert")
    heading(visitor, "Look into a layer")
    visitor.get_by_text("Look again").click()
    visitor.get_by_label("Images to show", exact=True).fill("2")
    visitor.keyboard.press("Enter")
    visitor.get_by_text("--images 2").wait_for()
    visitor.get_by_role("button", name="Look", exact=False).last.click()
    visitor.get_by_text("Image 3, class").first.wait_for(state="hidden", timeout=3 * MINUTE)
    settled(visitor)
    assert visitor.locator(SUSPECT).count() == 2
