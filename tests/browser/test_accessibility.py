"""Every page under axe-core, a checker of accessibility: light and dark, wide and narrow.

axe-core comes from the npm registry into a cache folder outside the repository.
"""

import itertools
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.visits import open_page, unfold
from ui.frame import PAGES

pytestmark = pytest.mark.slow

AXE = "axe-core@4.14"
SIZES = {"wide": 1280, "phone": 390}


@pytest.fixture(scope="session")
def axe() -> str:
    """The text of axe-core, installed on first use."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mimic-studio-axe"
    script = cache / "node_modules" / "axe-core" / "axe.min.js"
    if not script.is_file():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("there is no npm to install axe-core with")
        cache.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [npm, "install", "--no-save", "--no-audit", "--no-fund", "--prefix", str(cache), AXE],
            check=True, cwd=cache, timeout=300,
        )  # fmt: skip
    return script.read_text(encoding="utf-8")


@pytest.fixture(params=[(s, z) for s in ("light", "dark") for z in SIZES], ids="-".join)
def page(browser, request) -> Iterator[Any]:
    """A page of some width in one colour scheme."""
    scheme, size = request.param
    context = browser.new_context(
        viewport={"width": SIZES[size], "height": 900}, color_scheme=scheme, bypass_csp=True
    )
    yield context.new_page()
    context.close()


def violations(page, axe: str) -> list[str]:
    """What axe-core finds serious or critical."""
    page.evaluate(axe)
    return page.evaluate(
        """async () => {
          const result = await axe.run(document, {resultTypes: ['violations']});
          const grave = result.violations.filter(v => ['serious', 'critical'].includes(v.impact));
          return grave.flatMap(v => v.nodes
            .map(node => `${v.id}: ${node.html.slice(0, 200)} ${node.any.map(a => a.message)}`));
        }"""
    )


def levels(page) -> list[int]:
    """The levels of the headings that can be seen, from top to bottom."""
    return page.locator("h1, h2, h3, h4, h5, h6").evaluate_all(
        "found => found.filter(h => h.checkVisibility()).map(h => Number(h.tagName[1]))"
    )


def unnamed(page) -> list[str]:
    """Charts and images without a sentence or a name for those who do not see them."""
    return page.evaluate(
        """() => [
          ...[...document.querySelectorAll(
            '[data-testid="stPlotlyChart"], [data-testid="stVegaLiteChart"]'
          )].filter(chart => (chart.ariaLabel || '').length < 30),
          ...[...document.querySelectorAll('[data-testid="stMain"] img')].filter(i => !i.alt),
        ].map(e => e.outerHTML.slice(0, 160))"""
    )


@pytest.mark.parametrize("name", PAGES)
def test_a_page_serves_everyone(page, server, axe, name: str) -> None:
    open_page(page, server, name)
    found = levels(page)
    assert found[0] == 1
    assert found.count(1) == 1
    assert all(deeper - level <= 1 for level, deeper in itertools.pairwise(found)), found
    folded = page.locator('[data-testid="stMain"] details:not([open]) > summary')
    folded.evaluate_all("found => found.forEach(summary => summary.click())")
    unfold(page)
    assert unnamed(page) == []
    assert violations(page, axe) == []
