import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1.element_tree import Block

from mimic.run import Run
from tests.ui.test_pages import open_page

PHONE = 390 - 2 * 16
"""Pixels between the margins of a page on a phone."""
NETWORKS = ("teacher", "student", "clean_twin")


def blocks(block: Block, above: Block | None = None) -> Iterator[tuple[Block, Block | None]]:
    """Every container below one, with the container it stands in."""
    yield block, above
    for child in block.children.values():
        if isinstance(child, Block):
            yield from blocks(child, block)


def widths(page: Block) -> tuple[set[float], set[float], set[float]]:
    """Pixels: what each image's rows have to themselves, the rows, and a picture in them."""
    rows = [
        (row.proto, above.proto, len(row.children))
        for row, above in blocks(page)
        if above is not None and "-tiles-" in getattr(row.proto, "id", "")
    ]
    gaps = [row.flex_container.gap_config.pixel_gap for row, _, _ in rows]
    return (
        {above.width_config.pixel_width for _, above, _ in rows},
        {row.width_config.pixel_width for row, _, _ in rows},
        {
            (row.width_config.pixel_width - (count - 1) * gap) / count
            for (row, _, count), gap in zip(rows, gaps, strict=True)
        },
    )


@pytest.fixture(params=[1, 2, 3])
def shown(
    request: pytest.FixtureRequest, runs_root: Path, fabricate: Callable[[Path], None],
    attention_run: Callable[..., Run],
) -> int:  # fmt: skip
    """How many networks a look into the layers has maps of."""
    fabricate(runs_root)
    run = attention_run(runs_root)
    result = json.loads((run.directory / "result.json").read_text())
    run.write_json("result.json", {**result, "networks": list(NETWORKS[: request.param])})
    return int(request.param)


def test_rows_of_maps_keep_their_places_whatever_there_is_to_show(shown: int) -> None:
    # With less room, a title beside another would break onto a second line and push its rows down.
    places, rows, pictures = widths(open_page("layers").main)
    (place,), (row,), (picture,) = places, rows, pictures
    gap = (row - (shown + 1) * picture) / shown
    assert place == 4 * picture + 3 * gap  # The picture itself and three networks.
    assert row <= place <= PHONE
