"""A job seen from the page: charts that do not flicker, reload, two browsers, keyboard only."""

import re
import time
from collections.abc import Iterator

import pytest

from tests.browser.visits import SETTLED, pretended_job, whole

pytestmark = pytest.mark.slow

MINUTE = 60_000
CHARTS = '[data-testid="stVegaLiteChart"]'
WATCH_SHIFTS = """
window.shifts = [];
new PerformanceObserver(list => {
  for (const entry of list.getEntries())
    if (!entry.hadRecentInput) window.shifts.push(entry.value);
}).observe({type: 'layout-shift'});
"""
"""Layout Instability, as browsers measure it: the sum is the cumulative layout shift."""


@pytest.fixture
def working(server, runs_folder, request) -> Iterator[str]:
    """The address of a job at work."""
    run_id = f"distill-{re.sub(r'[^a-z0-9]+', '-', request.node.name)[-60:].strip('-')}"
    with pretended_job(runs_folder, run_id):
        for _ in range(200):
            if (runs_folder / run_id / "status.json").is_file():
                break
            time.sleep(0.1)
        yield f"{server}/distil?run={run_id}&mode=expert"


def button(page, name: str):
    """A button of ours: Streamlit's own head shows a Stop, too, while a script runs."""
    return page.locator('[data-testid="stMain"]').get_by_role("button", name=name)


def newest_epoch(page) -> int:
    """The epoch that the words below the charts tell, in Expert or Simple."""
    told = page.locator('[data-testid="stCaptionContainer"]')
    newest = told.get_by_text(re.compile("^(Epoch|Measured at (?:epoch|round)) ")).first
    return int(re.findall(r"(?:poch|round) (\d+)", newest.inner_text())[0])


def wait_for_updates(page, count: int) -> None:
    """Wait until the page has shown this many further states of the run."""
    seen = newest_epoch(page)
    for _ in range(count):
        page.wait_for_function(
            """seen => [...document.querySelectorAll('[data-testid="stCaptionContainer"]')].some(
                 e => { const m = e.innerText.match(/^(Epoch|Measured at (?:epoch|round)) (\\d+)/);
                        return m && Number(m[2]) > seen; })""",
            arg=seen,
            timeout=MINUTE,
        )
        seen = newest_epoch(page)


def state(page, word: str) -> None:
    """Wait until the run's badge says this."""
    main = page.locator('[data-testid="stMain"]')
    main.get_by_text(re.compile(rf"^\s*\w+ {word}$")).first.wait_for(timeout=MINUTE)


@pytest.mark.parametrize(("mode", "count"), [("expert", 3), ("simple", 1)])
def test_live_charts_keep_their_node_and_what_the_pointer_is_on(
    visitor, working, mode: str, count: int
) -> None:
    visitor.goto(working.replace("expert", mode))
    visitor.locator(f"{CHARTS} svg").nth(count - 1).wait_for()
    wait_for_updates(visitor, 2)
    box = visitor.locator(f"{CHARTS} svg").first.bounding_box()
    visitor.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    visitor.evaluate(
        """selector => {
          window.removed = 0;
          const charts = [...document.querySelectorAll(selector)];
          charts.forEach((chart, i) => {
            chart.mark = `chart ${i}`; chart.querySelector('svg').mark = `drawing ${i}`;
            chart.drawn = chart.querySelector('svg').outerHTML.length;
            new MutationObserver(changes => {
              for (const change of changes)
                for (const node of change.removedNodes)
                  if (node.nodeName.toLowerCase() === 'svg') window.removed += 1;
            }).observe(chart, {childList: true, subtree: true});
          });
        }""",
        CHARTS,
    )
    wait_for_updates(visitor, 10)
    found = visitor.evaluate(
        """selector => [...document.querySelectorAll(selector)].map(chart => ({
             chart: chart.mark, drawing: chart.querySelector('svg').mark,
             grew: chart.querySelector('svg').outerHTML.length > chart.drawn,
           }))""",
        CHARTS,
    )
    kept = [(f"chart {n}", f"drawing {n}") for n in range(count)]
    assert [(c["chart"], c["drawing"]) for c in found] == kept
    assert all(chart["grew"] for chart in found)  # New points did arrive in the old drawing.
    assert visitor.evaluate("window.removed") == 0


def test_a_zoom_outlives_updates(visitor, working) -> None:
    visitor.goto(working)
    visitor.locator(f"{CHARTS} svg").nth(2).wait_for()
    zeros = """selector => [...document.querySelectorAll(selector)[1].querySelectorAll('text')]
                 .filter(text => text.textContent === '0').length"""
    visitor.wait_for_function(f"selector => ({zeros})(selector) === 2", arg=CHARTS)
    first = visitor.get_by_role("slider").first
    for _ in range(3):
        first.press("ArrowRight")
    begins = first.input_value()
    assert begins != "0"
    visitor.wait_for_function(f"selector => ({zeros})(selector) === 1", arg=CHARTS)
    wait_for_updates(visitor, 3)
    visitor.evaluate("selector => document.querySelector(`${selector} svg`).mark = 1", CHARTS)
    wait_for_updates(visitor, 3)
    assert first.input_value() == begins
    assert visitor.evaluate("selector => document.querySelector(`${selector} svg`).mark", CHARTS)
    assert visitor.evaluate(zeros, CHARTS) == 1  # The percent axis has the one, epochs none.


def test_no_two_names_in_a_live_chart_meet(visitor, working) -> None:
    """The pretended student's figures are those of the suspect and of the floor."""
    visitor.goto(working)
    visitor.locator(f"{CHARTS} svg").nth(2).wait_for()
    wait_for_updates(visitor, 4)
    names = visitor.evaluate(
        """selector => [...document.querySelectorAll(selector)].map(chart =>
             [...chart.querySelectorAll('.mark-text:not([class*=role-axis]) text')]
               .filter(text => text.textContent)
               .map(text => { const box = text.getBoundingClientRect();
                 return [text.textContent, box.left, box.right, box.top, box.bottom]; }))""",
        CHARTS,
    )
    assert [len(chart) for chart in names] == [4, 5, 1]
    boxes = [c.locator("svg").bounding_box() for c in visitor.locator(CHARTS).all()]
    for chart, outer in zip(names, boxes, strict=True):
        for one, *place in chart:
            assert place[1] <= outer["x"] + outer["width"] + 1, one
            for other, *there in chart:
                apart = (place[1] <= there[0] or there[1] <= place[0]
                         or place[3] <= there[2] + 2 or there[3] <= place[2] + 2)  # fmt: skip
                assert one == other or apart, (one, other)


def test_nothing_jumps_while_a_job_is_at_work(visitor, working) -> None:
    visitor.goto(working)
    visitor.locator(f"{CHARTS} svg").nth(1).wait_for()
    visitor.evaluate(WATCH_SHIFTS)
    wait_for_updates(visitor, 10)
    assert visitor.evaluate("window.shifts.reduce((sum, one) => sum + one, 0)") < 0.1


def test_a_reload_shows_the_same_run_at_work_within_two_seconds(visitor, working) -> None:
    visitor.goto(working)
    button(visitor, "Stop").wait_for()
    before, waits = newest_epoch(visitor), []
    for _ in range(4):  # Other work on a shared machine may hold up some of them.
        visitor.reload(wait_until="commit")
        visitor.locator("h1").wait_for()  # Until then the browser reads Streamlit's own code.
        began = time.monotonic()
        button(visitor, "Stop").wait_for()
        visitor.locator(f"{CHARTS} svg").nth(1).wait_for()
        waits.append(time.monotonic() - began)
    assert visitor.url == working
    assert newest_epoch(visitor) >= before
    assert min(waits) < 2, waits


def test_two_browsers_see_one_job_and_either_may_stop_it(browser, working) -> None:
    pages = [browser.new_context().new_page() for _ in range(2)]
    for page in pages:
        page.goto(working)
        button(page, "Stop").wait_for()
        state(page, "running")
    button(pages[0], "Stop").click()
    for page in pages:
        button(page, "Resume").wait_for(timeout=MINUTE)
        state(page, "stopped")
        page.context.close()


def focus_shows(page) -> bool:
    """Whether the focused element differs in outline, shadow or border from its blurred self."""
    return page.evaluate(
        """() => {
          const focused = document.activeElement;
          const around = [focused, ...focused.querySelectorAll('*'), focused.parentElement,
                          focused.parentElement.parentElement];
          const look = () => around.map(e => { const s = getComputedStyle(e);
            return [s.outlineStyle, s.outlineWidth, s.boxShadow, s.borderColor,
                    s.backgroundColor, s.color].join(); }).join(';');
          const on = look();
          focused.blur();
          const off = look();
          focused.focus({focusVisible: true});
          return on !== off;
        }"""
    )


def tab_to(page, name: str, *, most: int = 150) -> None:
    """Press Tab until an element whose text is this has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        told = page.evaluate(
            """() => document.activeElement.closest('[data-testid="stMain"]')
                     ? document.activeElement.innerText : ''"""
        )
        if told.split("\n")[-1].strip() == name:
            page.wait_for_timeout(300)  # Looks change by a short transition.
            assert focus_shows(page), f"the focus on {name} cannot be seen"
            return
    raise AssertionError(f"Tab does not reach {name}")


def test_a_job_is_started_and_stopped_by_keyboard(visitor, server) -> None:
    visitor.goto(f"{server}/distil?run=demo-distill")
    whole(visitor)
    tab_to(visitor, "Clean this encoder")
    visitor.keyboard.press("Enter")
    button(visitor, "Start").wait_for()
    tab_to(visitor, "Start")
    visitor.keyboard.press("Space")
    visitor.wait_for_url("**run=distill-*", timeout=MINUTE)
    visitor.locator(SETTLED).wait_for()
    button(visitor, "Stop").wait_for(timeout=MINUTE)
    tab_to(visitor, "Stop")
    visitor.keyboard.press("Enter")
    button(visitor, "Resume").wait_for(timeout=3 * MINUTE)


def test_charts_of_a_job_at_work_can_be_saved_as_svg_and_csv(visitor, working) -> None:
    visitor.goto(working)
    visitor.locator(f"{CHARTS} svg").nth(2).wait_for()
    wait_for_updates(visitor, 1)
    with visitor.expect_download() as numbers:
        button(visitor, "CSV").first.click()
    assert numbers.value.suggested_filename.startswith("losses-distill-")
    rows = numbers.value.path().read_text().splitlines()
    assert rows[0].startswith("series,epoch,loss (no unit),encoder,run,suspect,seed,images")
    assert rows[1].startswith("total,1,4.6,cleaned encoder,distill-")
    visitor.get_by_text("Charts with a camera").click()
    plots = visitor.locator(".js-plotly-plot")
    plots.nth(2).wait_for()
    wait_for_updates(visitor, 2)  # The camera outlives updates.
    for place, name in enumerate(("losses", "scores", "agreement")):
        plots.nth(place).hover()
        with visitor.expect_download() as picture:
            plots.nth(place).locator('.modebar-btn[data-title*="ownload"]').click()
        assert re.fullmatch(rf"{name}-distill-.+\.svg", picture.value.suggested_filename)
        assert picture.value.path().read_text().startswith("<svg")
