from typing import Any

import pytest

from mimic.curve_reading import explain, top

FINE = {"state": "converged", "sentence": "The critic stopped improving."}
NEAR = {"state": "converged", "sentence": "It stopped close to the ceiling of 5.50 nats."}
NOISY = {"state": "noisy", "sentence": "Critics disagree by 1.00 nats."}


def curve(
    layers: dict[str, float], given: str = "clean", network: str = "teacher", spread: float = 0.1
) -> dict[str, Any]:
    return {
        "network": network, "input": given, "layers": layers,
        "bands": {n: [v - spread, v + spread] for n, v in layers.items()},
        "verdicts": dict.fromkeys(layers, FINE),
    }  # fmt: skip


CLEAN = {"stem": 0.5, "layer3": 1.3, "layer4": 1.5}


def test_a_layer_is_named_where_its_range_lies_above_all_others() -> None:
    told = explain([curve(CLEAN, spread=0.09)])
    assert told == (
        "On clean images, layer4 tells most about the suspect's output features (1.50 nats)."
    )
    assert explain([curve({"layer4": 1.5}, spread=0.0)]) == told
    assert "not measured" in explain([])
    assert top([curve({}), curve(CLEAN, network="random")]) is None


def test_layers_whose_ranges_meet_are_not_told_apart() -> None:
    told = explain([curve(CLEAN, spread=0.1)])
    assert "tells most" not in told
    assert "layer3 and layer4 cannot be told apart" in told
    assert "(1.30 to 1.50 nats): the ranges of their critics overlap." in told
    assert "stem" not in told


@pytest.mark.parametrize("verdict", [NEAR, NOISY])
def test_no_layer_is_named_while_one_reading_is_in_doubt(verdict: dict[str, str]) -> None:
    doubtful = curve(CLEAN, spread=0.01)
    doubtful["verdicts"] = {**doubtful["verdicts"], "stem": verdict}
    told = explain([doubtful])
    assert "tells most" not in told
    assert "stem, layer3 and layer4 cannot be told apart" in told
    assert "the reading of stem can only be taken with care" in told


def test_no_layer_is_named_where_no_range_is_known() -> None:
    single, old = curve(CLEAN, spread=0.0), curve(CLEAN)
    del old["bands"], old["verdicts"]
    for given in (single, old):
        assert "one critic gives no range" in explain([given])


def test_the_collapse_with_the_trigger_is_judged() -> None:
    clean = {"stem": 0.5, "layer4": 1.5}
    collapsed = [curve(clean), curve({"stem": 0.1, "layer4": 0}, "triggered")]
    assert "5% of the information" in explain(collapsed)
    assert "only a clean twin would tell" in explain(collapsed)
    kept = [curve(clean), curve(clean, "triggered")]
    assert "does not make the suspect ignore" in explain(kept)
    twin = curve(clean, network="clean_twin")
    less = curve({"stem": 0.5, "layer4": 1}, "triggered", "clean_twin")
    told = explain([*collapsed, twin, less])
    assert "clean twin keeps 75% of it" in told
    assert "The clean twin loses much, too, so that is no sign" in told
    more = curve({"stem": 0.7, "layer4": 1.5}, "triggered", "clean_twin")
    told = explain([*collapsed, twin, more])
    assert "clean twin keeps all of it (estimate 110%;" in told
    assert "a strong sign of a backdoor" in told
