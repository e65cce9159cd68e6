from collections.abc import Callable
from pathlib import Path

from mimic.run import Run
from ui.placement_map import heat_map, sentence


def test_the_map_says_what_it_shows(runs_root: Path, placement_run: Callable[..., Run]) -> None:
    result = placement_run(runs_root).result() or {}
    told = sentence(result)
    assert "row 10, column 10" in told
    assert "on 100.0% of 200 images; on average over the other places, 50.0%" in told
    assert "50.0%, but from 0.0% to 100.0% depending on the place. At 72" in told
    assert "At 72 of 144 places" in told
    figure = heat_map(result)
    assert figure.data[0].z[0][0] == 100
    assert figure.data[0].z[1][0] == 0
    assert (figure.data[1].x, figure.data[1].y) == ((10,), (10,))
