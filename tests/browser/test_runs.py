"""Runs in a browser: compare two, delete one and bring it back, take a report home and open it."""

import json
from pathlib import Path

import pytest

from mimic.config import DistillConfig
from mimic.run import Run, find_run, trashed

pytestmark = pytest.mark.slow


@pytest.fixture
def second(runs_folder: Path) -> Run:
    """A copy of the demo's distillation as this machine's own run, with another seed."""
    bundled = find_run("demo-distill")
    config = {**bundled.about()["config"], "seed": 5}
    if (runs_folder / "distill-second" / "run.json").is_file():
        return find_run("distill-second", runs_folder)
    run = Run.create(
        runs_folder, "distill", DistillConfig.from_json(config), run_id="distill-second"
    )
    for name in ("metrics.jsonl", "result.json", "status.json", "arrays/examples.npz"):
        run.write_file(name, lambda path, n=name: path.write_bytes(
            (bundled.directory / n).read_bytes()))  # fmt: skip
    return run


def settled(page) -> None:
    page.locator('[data-test-script-state="notRunning"]').wait_for()
    assert page.locator('[data-testid="stException"]').count() == 0


def test_two_runs_are_compared_and_a_reload_keeps_the_comparison(visitor, server, second) -> None:
    visitor.goto(f"{server}/runs?runs=demo-distill,{second.id}")
    visitor.get_by_role("heading", name="2 runs side by side").wait_for()
    visitor.locator(".js-plotly-plot").nth(2).wait_for()
    settled(visitor)
    visitor.reload()
    visitor.get_by_role("heading", name="2 runs side by side").wait_for()
    visitor.locator(".js-plotly-plot").nth(2).wait_for()
    settled(visitor)
    assert visitor.url.endswith(f"runs=demo-distill,{second.id}") or "%2C" in visitor.url
    with visitor.expect_download() as download:
        visitor.locator('[data-testid="stDownloadButton"] button').first.click()
    assert Path(download.value.path()).read_text().startswith("series,epoch,accuracy (%),")


def test_a_deleted_run_comes_back_by_one_press(visitor, server, second, runs_folder) -> None:
    visitor.goto(f"{server}/runs?runs={second.id}")
    visitor.get_by_role("button", name="Delete").click()
    visitor.get_by_text("is in the trash").first.wait_for()
    assert [run.id for run in trashed(runs_folder)] == [second.id]
    visitor.get_by_role("button", name="Undo").click()
    visitor.get_by_role("button", name="Delete").wait_for()
    settled(visitor)
    assert trashed(runs_folder) == []
    assert find_run(second.id, runs_folder).status().state == "finished"


def test_a_report_opens_without_a_single_request(
    visitor, browser, server, second, tmp_path
) -> None:
    visitor.goto(f"{server}/runs?runs={second.id}")
    with visitor.expect_download(timeout=90_000) as download:
        visitor.get_by_role("button", name="Report (.html)").click()
    file = tmp_path / "report.html"
    download.value.save_as(file)

    for width, scheme in ((1360, "light"), (390, "dark")):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
        )
        page = context.new_page()
        asked, complaints = [], []
        page.on("request", lambda request, to=asked: to.append(request.url))
        page.on("console", lambda message, to=complaints: to.append(message.text))
        page.on("pageerror", lambda error, to=complaints: to.append(str(error)))
        page.goto(file.as_uri())
        page.locator("html[data-drawn]").wait_for()
        drawn = int(page.locator("html").get_attribute("data-drawn"))
        assert page.locator(".chart .main-svg").count() >= drawn > 5
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for kind in ("csv", "png", "svg"):
            with page.expect_download() as saved:
                page.locator(f"button[data-as={kind}]").first.click()
            assert saved.value.suggested_filename.endswith(f".{kind}")
            assert Path(saved.value.path()).stat().st_size > 100
        assert page.evaluate("fetch('data:,x').then(() => 'sent', () => 'refused')") == "refused"
        real = [url for url in asked if not url.startswith(("data:", "blob:", file.as_uri()))]
        assert real == []
        mine = [said for said in complaints if "fetch" not in said and "connect" not in said]
        assert mine == [], json.dumps(mine)
        context.close()
