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
ALLOWED = (
    # Streamlit writes chosen pills, segments and slider values in the accent colour and the main
    # button's label in white on it, with no setting for either. On a dark page no accent colour
    # gives both 4.5:1; ours favours the button, and these reach 3.9:1.
    ("dark", "color-contrast", '[data-selected="true"] *'),
    ("dark", "color-contrast", '[data-testid="stSliderThumbValue"], [data-testid="stSlider"] *'),
)
"""Violations that only Streamlit's own front end can mend: colour scheme, rule, selector."""


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
def look(browser, request) -> Iterator[tuple[str, Any]]:
    """A colour scheme and a page of some width."""
    scheme, size = request.param
    context = browser.new_context(
        viewport={"width": SIZES[size], "height": 900}, color_scheme=scheme, bypass_csp=True
    )
    yield scheme, context.new_page()
    context.close()


def violations(page, axe: str, scheme: str) -> list[str]:
    """What axe-core finds serious or critical, without what is allowed."""
    page.evaluate(axe)
    return page.evaluate(
        """async allowed => {
          const result = await axe.run(document, {resultTypes: ['violations']});
          const grave = result.violations.filter(v => ['serious', 'critical'].includes(v.impact));
          return grave.flatMap(v => v.nodes
            .filter(node => !allowed.some(([rule, selector]) => rule === v.id
                && document.querySelector(node.target[0]).matches(selector)))
            .map(node => `${v.id}: ${node.html.slice(0, 200)} ${node.any.map(a => a.message)}`));
        }""",
        [[rule, selector] for on, rule, selector in ALLOWED if on == scheme],
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
def test_a_page_serves_everyone(look, server, axe, name: str) -> None:
    scheme, page = look
    open_page(page, server, name)
    found = levels(page)
    assert found[0] == 1
    assert found.count(1) == 1
    assert all(deeper - level <= 1 for level, deeper in itertools.pairwise(found)), found
    folded = page.locator('[data-testid="stMain"] details:not([open]) > summary')
    folded.evaluate_all("found => found.forEach(summary => summary.click())")
    unfold(page)
    assert unnamed(page) == []
    assert violations(page, axe, scheme) == []
