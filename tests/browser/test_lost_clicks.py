"""A visitor who does not wait: a press is made while the answer to the one before is under way.

The page's line to the server is held up, as on a slow machine or network: that makes certain what
else happens now and then. The browser counts a press only if its button is still the same element
when the pointer is lifted.
"""

import re

import pytest

from tests.browser.visits import SETTLED, pretended_job, whole

pytestmark = pytest.mark.slow

STEPS = {
    "Show another picture": "Next: put the sticker on",
    "Put it where the attacker did": "Next: see what is left of the picture",
}
"""What each of the first two steps offers to press, and its own way on: on a slow machine the step
before still shows its way on beside the new step's button."""
FIRST, STICK = STEPS
LAST = "Next: clean it"
"""Step 3 only has its way on."""
QUIET = 700
"""Milliseconds without a word from the server after which it has said all."""
SLOWER = 6
"""How many times slower the browser's processor is made, so that its answers take a while."""
BUTTONS = '[data-testid="stMain"] button'
REMEMBER_OTHERS = """([selector, pressed]) => {
  window.others = [...document.querySelectorAll(selector)].filter(
    one => one.innerText.trim() && !one.innerText.includes(pressed));
}"""
REPLACED = "others.filter(one => !one.isConnected).map(one => one.innerText)"


class Line:
    """The line from the server to the page; while it is held up, nothing arrives."""

    def __init__(self, page) -> None:
        self.page, self.held, self.is_up = page, [], True
        page.route_web_socket(re.compile("_stcore/stream"), self.connect)

    def connect(self, socket) -> None:
        socket.connect_to_server().on_message(lambda said: self.hear(socket, said))

    def hear(self, socket, said) -> None:
        if self.is_up:
            socket.send(said)
        else:
            self.held.append((socket, said))

    def hold(self) -> None:
        self.is_up = False

    def wait_for_all(self) -> None:
        """Wait until the server has answered and fallen silent."""
        count = -1
        while count != len(self.held) or not self.held:
            count = len(self.held)
            self.page.wait_for_timeout(QUIET)

    def release(self) -> None:
        self.is_up = True
        for socket, said in self.held:
            socket.send(said)
        self.held.clear()


def button(page, name):
    return page.locator('[data-testid="stMain"]').get_by_role("button", name=name).first


def rest(page) -> None:
    """Wait until the page has taken in what was held up."""
    page.wait_for_timeout(QUIET)
    page.locator(SETTLED).wait_for()


def step_of(page) -> str:
    """The step that is shown."""
    told = page.locator('[data-testid="stProgress"]').first.inner_text()
    return told.split("Step ")[1][0]


def slow_down(page) -> None:
    """Make the browser's processor slow, as on an old laptop."""
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})


@pytest.fixture
def line(visitor, server) -> Line:
    line = Line(visitor)
    visitor.goto(f"{server}/story")
    whole(visitor)
    return line


@pytest.mark.parametrize("turn", range(3))
def test_whoever_presses_on_without_waiting_gets_on(visitor, server, turn: int) -> None:
    visitor.goto(f"{server}/story")
    whole(visitor)
    slow_down(visitor)
    for first, onwards in STEPS.items():
        button(visitor, first).click()
        button(visitor, onwards).click()
    button(visitor, LAST).click()
    visitor.get_by_role("heading", name="Clean it").wait_for()
    rest(visitor)
    assert step_of(visitor) == "4"


def test_no_button_is_replaced_but_the_one_that_was_pressed(visitor, line) -> None:
    """A press on any other button, held while the answer arrives, still counts."""
    for first, onwards in STEPS.items():
        visitor.evaluate(REMEMBER_OTHERS, [BUTTONS, first])
        button(visitor, first).click()
        rest(visitor)
        assert visitor.evaluate(REPLACED) == [], f"after “{first}”"
        button(visitor, onwards).click()
        rest(visitor)
    assert step_of(visitor) == "3"


def test_whoever_only_reads_walks_on_without_pressing_anything_else(visitor, server) -> None:
    visitor.goto(f"{server}/story")
    for onwards in (*STEPS.values(), LAST):
        button(visitor, onwards).click()
    visitor.get_by_role("heading", name="Clean it").wait_for()
    rest(visitor)
    assert step_of(visitor) == "4"


def test_a_press_held_while_an_answer_arrives_counts(visitor, server, line) -> None:
    visitor.goto(f"{server}/story?step=2")
    whole(visitor)
    line.hold()
    button(visitor, STICK).click()
    line.wait_for_all()
    button(visitor, "Back").hover()
    visitor.mouse.down()
    line.release()
    rest(visitor)
    button(visitor, "Back").hover()  # What came in has moved it down.
    visitor.mouse.up()
    visitor.get_by_role("heading", name="Meet the encoder").wait_for()


def test_a_double_click_on_next_walks_one_step(visitor, line) -> None:
    button(visitor, STEPS[FIRST]).wait_for()
    line.hold()
    button(visitor, STEPS[FIRST]).dblclick()
    line.wait_for_all()
    line.release()
    rest(visitor)
    assert step_of(visitor) == "2"


def test_next_counts_while_a_chart_is_renewed_each_second(
    visitor, server, runs_folder, line
) -> None:
    with pretended_job(runs_folder, "distill-under-way"):
        while not (runs_folder / "distill-under-way" / "metrics.jsonl").is_file():
            visitor.wait_for_timeout(100)
        visitor.goto(f"{server}/story?step=4")
        visitor.locator('[data-testid="stVegaLiteChart"] svg').wait_for()
        line.hold()
        button(visitor, "Next: try the sticker again").click()
        visitor.wait_for_timeout(2500)  # The chart asks for news meanwhile, still from step 4.
        line.release()
        visitor.get_by_text("still learning").wait_for()
        rest(visitor)
        assert step_of(visitor) == "5"
