"""The researcher's path, from a file to a report: real server, real browser, real jobs."""

import contextlib
import re
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from mimic.run import Run
from tests.browser.test_walk import MINUTE, heading, picture
from tests.browser.visits import whole

pytestmark = pytest.mark.slow

DEMO = Path(__file__).resolve().parents[2] / "assets" / "demo"
EPOCHS = 20
IMAGES = 60
WIDE = {"width": 1360, "height": 900}
TOLD = re.compile(r"^(\d+) images: each clean, then with the trigger")


class Desk:
    """A researcher at one window: what is pressed, typed, seen, and how long each part took."""

    def __init__(self, page: Any, server: str, runs: Path) -> None:
        self.page, self.server, self.runs = page, server, runs
        self.started = time.monotonic()
        self.marks: dict[str, float] = {}

    def reached(self, name: str) -> None:
        """Wait until the page rests, note the time, and keep a picture of it."""
        whole(self.page)
        assert self.page.locator('[data-testid="stAlertContentError"]').count() == 0
        self.marks[name] = time.monotonic() - self.started
        picture(self.page, f"researcher-{len(self.marks)}-{name.replace(' ', '-')}")
        self.page.set_viewport_size(WIDE)

    def fill(self, label: str, value: object, told: str = "") -> None:
        """Set a field; the command below the form tells that the page has taken it."""
        self.page.get_by_label(label, exact=True).fill(str(value))
        self.page.keyboard.press("Enter")
        if told:
            self.page.get_by_text(told).first.wait_for()
        self.page.locator('[data-test-script-state="notRunning"]').wait_for()

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=re.compile(f"{re.escape(name)}$")).last.click()

    def choose(self, key: str, name: str) -> None:
        """One of a few words."""
        self.page.locator(f".st-key-{key}").get_by_role("radio", name=name).click()
        self.page.locator('[data-test-script-state="notRunning"]').wait_for()

    def leave_out(self, key: str, *names: str) -> None:
        """Switch pills off."""
        for name in names:
            self.page.locator(f".st-key-{key}").get_by_role("button", name=name, exact=True).click()
            self.page.locator('[data-test-script-state="notRunning"]').wait_for()

    def finished(self, kind: str) -> Run:
        """The newest finished run of a kind."""
        found = sorted(d for d in self.runs.glob(f"{kind}-*") if (d / "result.json").is_file())
        return Run(found[-1])

    def result(self, kind: str) -> dict[str, Any]:
        result = self.finished(kind).result()
        assert result is not None
        return result

    def table(self, column: str) -> list[dict[str, str]]:
        """The table with this column, as the page holds it for those who do not see the canvas."""
        return self.page.evaluate(
            """column => {
              for (const table of document.querySelectorAll('[data-testid="stDataFrame"] table')) {
                const cells = row => [...row.querySelectorAll('th, td')].map(c => c.textContent);
                const [head, ...rows] = [...table.querySelectorAll('tr')].map(cells);
                if (head && head.includes(column))
                  return rows.map(r => Object.fromEntries(head.map((name, i) => [name, r[i]])));
              }
              return [];
            }""",
            column,
        )


def test_from_a_file_to_a_report(visitor, browser, server, runs_folder, tmp_path) -> None:
    desk = Desk(visitor, server, runs_folder)
    inspect_a_file(desk)
    measure_layers(desk)
    first = distil_from_chosen_layers(desk)
    second = distil_without_the_clone_loss(desk, first)
    brush_the_embedding(desk)
    compare(desk, first, second)
    take_the_report_home(desk, browser, first, tmp_path / "report.html")
    reached = ", ".join(f"{name} at {at:.0f} s" for name, at in desk.marks.items())
    sys.stdout.write(f"\nThe researcher's path: {reached}\n")


def inspect_a_file(desk: Desk) -> None:
    """Load: an encoder by its path, with its clean twin, images and the trigger."""
    page = desk.page
    page.goto(f"{desk.server}/suspect?mode=expert")
    heading(page, "Suspect encoder")
    whole(page)
    page.get_by_role("heading", name="Inspect an encoder of your own").wait_for()
    desk.choose("suspect_source", "File on this machine")
    teacher, twin = DEMO / "teacher.pth", DEMO / "clean_twin.safetensors"
    desk.fill("Encoder file", teacher, f"--encoder {teacher}")
    desk.choose("suspect_twin", "File on this machine")
    desk.fill("Clean twin file", twin, "--clean-twin")
    page.locator(".st-key-suspect_trigger").get_by_role("combobox").click()
    page.get_by_role("option", name="One that ships with the project").click()
    page.get_by_text("--trigger asset:demo/trigger.npz").first.wait_for()
    target = page.locator(".st-key-suspect_target").get_by_role("combobox")
    target.scroll_into_view_if_needed()  # A list closes when the page scrolls.
    whole(page)
    wanted = page.get_by_role("option", name="1", exact=True)
    for _ in range(5):  # A rerun that arrives just then closes the list, too.
        target.click()
        with contextlib.suppress(PlaywrightTimeout):
            wanted.click(timeout=4_000)
            break
    page.get_by_text("--target-class 1").first.wait_for()
    desk.press("Inspect")
    page.wait_for_url(re.compile("subject=inspect-"), timeout=3 * MINUTE)
    page.get_by_role("heading", name="teacher.pth · digits").wait_for()
    whole(page)  # What was shown of the demo is gone.
    heading(page, "What was recognised")
    page.get_by_label("Encoder file", exact=True).wait_for(state="hidden")  # The form has folded.
    found = desk.result("inspect")
    assert found["encoder"]["architecture"] == "resnet10"
    page.get_by_text(found["encoder"]["sha256"]).first.wait_for()
    attacked = found["scores"]["teacher"]["asr"]
    assert attacked > 0.95
    page.get_by_text(f"{attacked:.1%} of 321 images with the trigger").first.wait_for()
    desk.reached("inspected")


def measure_layers(desk: Desk) -> None:
    """Information: a short measurement, the suspect only."""
    page = desk.page
    page.get_by_role("link", name="See what its layers know").click()
    heading(page, "Layers")
    whole(page)
    desk.leave_out("InformationConfig_networks", "untrained")
    desk.fill("Critic epochs", 4, "--critic-epochs 4")
    desk.press("Measure")
    heading(page, "Measurement")
    page.get_by_text(re.compile("^On clean images, ")).first.wait_for(timeout=3 * MINUTE)
    result = desk.result("information")
    (clean,) = (c["layers"] for c in result["curves"] if c["input"] == "clean")
    assert {curve["network"] for curve in result["curves"]} == {"teacher"}
    (curve,) = (c for c in result["curves"] if c["input"] == "clean")
    best = max(clean, key=clean.get)
    beaten = all(curve["bands"][n][1] < curve["bands"][best][0] for n in clean if n != best)
    sure = all(v["state"] == "converged" for v in curve["verdicts"].values())
    told = f"{best} tells most about" if beaten and sure else "cannot be told apart as to how much"
    page.get_by_text(told).first.wait_for()
    for layer, nats in clean.items():
        page.get_by_text(f"{layer} · {nats:.2f} nats").first.wait_for()
    desk.reached("measured")


def distil_from_chosen_layers(desk: Desk) -> str:
    """Choose layers: one switched off; the others' weights travel to the Distil page."""
    page = desk.page
    page.get_by_text(re.compile(r"^layer2 · [\d.]+ nats$")).click()
    bars = page.get_by_label(re.compile("^Weight of each layer's attention loss: (?!.*layer2)"))
    bars.wait_for()
    carried = re.findall(r"(layer\d) (\d+\.\d)", bars.get_attribute("aria-label"))
    assert [layer for layer, _ in carried] == ["layer1", "layer3", "layer4"]
    assert sum(float(weight) for _, weight in carried) == pytest.approx(3 * 3 + 28, abs=0.2)
    desk.reached("layers chosen")
    desk.press("Use these weights")
    heading(page, "Distil")
    page.get_by_text("--layers layer1 layer3 layer4").first.wait_for()
    page.get_by_text(", ".join(f"{layer} {weight}" for layer, weight in carried)).first.wait_for()
    desk.fill("Epochs", EPOCHS, f"--epochs {EPOCHS}")
    return distil(desk, "distilled")


def distil_without_the_clone_loss(desk: Desk, first: str) -> str:
    """A second setting: the same but for the clone loss."""
    page = desk.page
    page.get_by_text("Clean this encoder").click()
    page.get_by_text("Clone: give clean images").click()
    page.get_by_text("--clone-weight 0").first.wait_for()
    assert page.get_by_label("Epochs", exact=True).input_value() == str(EPOCHS)  # Still as set.
    page.get_by_text("--layers layer1 layer3 layer4").first.wait_for()
    second = distil(desk, "distilled again", old=first)
    named = page.locator(".st-key-run input").input_value()
    assert f"{EPOCHS} epochs, no clone loss, layer1+layer3+layer4" in named
    return second


def distil(desk: Desk, name: str, old: str = "run=none") -> str:
    """Press Start; wait for the outcome; its id."""
    page = desk.page
    desk.press("Start")
    page.wait_for_url(lambda url: "run=distill-" in url and old not in url)
    page.get_by_label("Epochs", exact=True).wait_for(state="hidden")  # The form has folded.
    run_id = page.url.split("run=")[1].split("&")[0]
    page.get_by_text(f"run {run_id}").first.wait_for()
    whole(page)  # What the run before has left on the page is gone.
    outcome = page.get_by_role("heading", name="Before and after", exact=True)
    outcome.wait_for(timeout=3 * MINUTE)
    whole(page)
    found = Run(desk.runs / run_id).result()["scores"]["student"]
    page.get_by_text(f"attack success {found['asr']:.1%}").first.wait_for()
    desk.reached(name)
    return run_id


def brush_the_embedding(desk: Desk) -> None:
    """Embeddings: few points in two projections; a loop in one map, the images of both."""
    page = desk.page
    page.get_by_role("link", name="See the embeddings before and after").click()
    heading(page, "Embeddings")
    whole(page)
    desk.leave_out("EmbedConfig_layers", "layer4", "layer3", "layer2", "layer1")
    desk.leave_out("EmbedConfig_projections", "umap")
    desk.fill("Images", IMAGES, f"--points {IMAGES}")
    page.get_by_text("--layers features --projections pca plane").first.wait_for()
    desk.press("Compute")
    heading(page, "Embeddings")
    numbers = page.get_by_role("heading", name="Numbers beside the pictures")
    numbers.wait_for(timeout=3 * MINUTE)
    whole(page)
    assert page.get_by_role("radio", name="UMAP").count() == 0
    box = page.locator(".js-plotly-plot .nsewdrag").first.bounding_box()
    path = [(0.02, 0.02), (0.5, 0.02), (0.5, 0.97), (0.02, 0.97), (0.02, 0.03)]
    for step, (x, y) in enumerate(path):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=4)
        if step == 0:
            page.mouse.down()
    page.mouse.up()
    told = page.get_by_text(TOLD)
    told.wait_for()
    count = int(TOLD.match(told.inner_text())[1])
    assert 0 < count < IMAGES
    strong = """count => {
      const plot = document.querySelectorAll('.js-plotly-plot')[1];
      const strong = plot._fullData.filter(trace => trace.marker.opacity === 1);
      return new Set(strong.flatMap(trace => Array.from(trace.customdata))).size === count;
    }"""
    page.wait_for_function(strong, arg=count)
    page.get_by_text(f"Points as CSV ({count} selected images)").first.wait_for()
    page.locator('[data-testid="stImage"] img[alt*="clean and stamped"]').first.wait_for()
    tiles = page.locator('[data-testid="stImage"] img[alt*="clean and stamped"]').count()
    assert tiles == min(count, 12)
    desk.reached("brushed")


def compare(desk: Desk, first: str, second: str) -> None:
    """Runs: both distillations, what differs between them and nothing else, and their curves."""
    page = desk.page
    page.locator('[data-testid="stSidebarNav"]').get_by_role("link", name="Distil").click()
    heading(page, "Distil")
    page.get_by_role("link", name="Compare with another cleaning").click()
    heading(page, "2 runs side by side")
    assert f"runs={first},{second}" in page.url.replace("%2C", ",")
    page.locator(".js-plotly-plot").nth(2).wait_for()
    whole(page)
    assert desk.table("setting") == [{"setting": "clone weight", "A": "1.0", "B": "0.0"}]
    drawn = page.evaluate(
        """() => [...document.querySelectorAll('.js-plotly-plot')].slice(0, 3).map(
             plot => plot._fullData.map(trace => [trace.name, trace.x.at(-1), trace.y.at(-1)]))"""
    )
    ends = [Run(desk.runs / run).metrics()[-1] for run in (first, second)]
    for plot, value in zip(
        drawn,
        (
            lambda line: 100 * line["evaluation"]["accuracy"],
            lambda line: 100 * line["evaluation"]["asr"],
            lambda line: line["loss"],
        ),
        strict=True,
    ):
        lines = [found for found in plot if not found[0].endswith("final score")]
        assert [name for name, _, _ in lines] == ["A", "B"]
        assert [x for _, x, _ in plot] == [EPOCHS] * len(plot)
        assert [y for _, _, y in lines] == pytest.approx([value(line) for line in ends])
    scores = [Run(desk.runs / run).result()["scores"]["student"] for run in (first, second)]
    for plot, measure in zip(drawn, ("accuracy", "asr"), strict=False):
        rings = [y for name, _, y in plot if name.endswith("final score")]
        assert rings == pytest.approx([100 * found[measure] for found in scores])
    desk.reached("compared")


def take_the_report_home(desk: Desk, browser: Any, run: str, file: Path) -> None:
    """The report: downloaded, and opened where no request can be made."""
    page = desk.page
    page.goto(f"{desk.server}/runs?runs={run}")
    button = page.get_by_role("button", name="Report (.html)")
    button.wait_for()
    whole(page)
    with page.expect_download(timeout=2 * MINUTE) as download:
        button.click()
    download.value.save_as(file)
    context = browser.new_context(viewport=WIDE, offline=True)
    context.route(re.compile("^https?:"), lambda route: route.abort())
    away = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    away.on("request", lambda request: asked.append(request.url))
    away.on("console", lambda message: complaints.append(message.text))
    away.on("pageerror", lambda error: complaints.append(str(error)))
    away.goto(file.as_uri())
    away.locator("html[data-drawn]").wait_for()
    assert [url for url in asked if not url.startswith(("data:", "blob:", file.as_uri()))] == []
    assert complaints == []
    drawn = int(away.locator("html").get_attribute("data-drawn"))
    assert away.locator(".chart .main-svg").count() >= drawn > 5
    found = Run(desk.runs / run).result()["scores"]
    verdict = away.get_by_label("Verdict").inner_text()
    before, after = (f"{found[name]['asr']:.1%}" for name in ("teacher", "student"))
    assert f"Before cleaning {before}, now {after} of " in verdict
    words = away.locator("main").inner_text()
    assert run in words
    assert "still rising" in words or "--critic-epochs 4" in words
    desk.marks["report read"] = time.monotonic() - desk.started
    context.close()
