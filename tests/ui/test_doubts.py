from typing import Any

import pytest

from ui import curve_words, doubts

LAYERS = ["stem", "layer1", "layer2", "layer3", "layer4"]
FINE = {"state": "converged", "sentence": "The critic stopped improving."}
RISING = {"state": "still rising", "sentence": "It was still rising."}
CEILING = {"state": "converged", "sentence": "It stopped close to the ceiling of 5.50 nats."}


def overfits(lost: float) -> dict[str, str]:
    return {"state": "overfits", "sentence": f"The critic lost {lost:.2f} nats, and 3 more words."}


def curve(
    network: str, given: str, values: list[float], doubtful: dict[str, dict[str, str]] | None = None
) -> dict[str, Any]:
    verdicts = dict.fromkeys(LAYERS, FINE) | (doubtful or {})
    layers = dict(zip(LAYERS, values, strict=True))
    return {"network": network, "input": given, "layers": layers, "verdicts": verdicts}


def result(*curves: dict[str, Any]) -> dict[str, Any]:
    return {"layers": LAYERS, "curves": list(curves), "clean_images": 58}


CLEAN = curve("teacher", "clean", [2.0] * 5)


def told(found: dict[str, Any], *, plain: bool = False) -> list[tuple[str, str]]:
    return list(doubts.lines(found, doubts.doubts(found), plain=plain))


def test_points_are_named_by_curve_and_reason() -> None:
    late = dict.fromkeys(LAYERS[1:], RISING)
    every = dict.fromkeys(LAYERS, RISING)
    found = result(
        CLEAN,
        curve("teacher", "triggered", [0.5] * 5, late),
        curve("random", "clean", [3.0] * 5, every),
        curve("clean_twin", "clean", [2.0] * 5, {"stem": overfits(0.2), "layer3": overfits(0.35)}),
    )
    assert told(found) == [
        (
            "clean twin, clean: stem and layer3",
            "overfits. The critic lost 0.20 to 0.35 nats, and 3 more words.",
        ),
        (
            "suspect, triggered: layer1 to layer4; untrained, clean: all layers",
            "still rising. It was still rising.",
        ),
    ]
    plain = [why for _, why in told(found, plain=True)]
    assert plain == [doubts.PLAIN["overfits"], doubts.PLAIN["still rising"]]
    assert {d.network for d in doubts.doubts(found, untrained=False)} == {"teacher", "clean_twin"}


def test_a_value_near_the_ceiling_is_told_though_its_fit_converged() -> None:
    found = result(curve("teacher", "clean", [5.0] * 5, {"layer4": CEILING}))
    assert told(found)[0][0] == "suspect, clean: layer4"


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        (LAYERS, "all layers"),
        (["stem"], "stem"),
        (["layer4", "layer3", "layer2"], "layer2 to layer4"),
        (["stem", "layer1", "layer3"], "stem, layer1 and layer3"),
        ([], ""),
    ],
)
def test_layers_are_named_in_order_and_runs_by_their_ends(layers: list[str], said: str) -> None:
    assert doubts.span(layers, result()) == said


def test_the_conclusion_is_drawn_again_without_the_doubtful_layers() -> None:
    def concluded(values: list[float], doubtful: list[str]) -> str:
        found = result(
            CLEAN, curve("teacher", "triggered", values, dict.fromkeys(doubtful, RISING))
        )
        return doubts.conclusion(found, doubts.doubts(found))

    stands = concluded([0.4, 0.6, 0.6, 0.6, 0.6], LAYERS[1:])
    assert stands.startswith("Yes: counting only stem,")
    assert "20.0%" in stands
    assert "28.0%" in stands
    assert concluded([1.9, 0.1, 0.1, 0.1, 0.1], LAYERS[1:]).startswith(
        "Not surely: counting only stem"
    )
    assert concluded([0.1] * 5, LAYERS).startswith("Perhaps: every layer")
    other = result(
        CLEAN,
        curve("teacher", "triggered", [0.1] * 5),
        curve("clean_twin", "triggered", [2.0] * 5, {"stem": RISING}),
    )
    assert doubts.conclusion(other, doubts.doubts(other)).startswith("Yes: none of these points")
    alone = result(curve("teacher", "clean", [2.0] * 5, {"stem": RISING}))
    assert doubts.conclusion(alone, doubts.doubts(alone)) == ""


def test_more_than_all_of_the_information_is_called_all_of_it() -> None:
    found = result(
        CLEAN,
        curve("teacher", "triggered", [0.6] * 5),
        curve("clean_twin", "clean", [2.0] * 5),
        curve("clean_twin", "triggered", [2.2] * 5),
    )
    said = curve_words.summary(found)
    assert "30% of the information in the suspect's layers is left" in said
    assert "the clean twin keeps all of it (estimate 110%)" in said
    assert "strong sign of a backdoor" in said


def test_the_summary_follows_what_was_measured() -> None:
    assert "nats" not in curve_words.summary(result(CLEAN))
    assert "does not tell" in curve_words.summary(result(CLEAN))  # No ranges are known.
    told_apart = {**CLEAN, "layers": dict(zip(LAYERS, range(1, 6), strict=True))}
    told_apart["bands"] = {layer: (n - 0.1, n + 0.1) for layer, n in told_apart["layers"].items()}
    assert curve_words.summary(result(told_apart)).startswith(
        "On clean images, what the suspect answers is most easily read from layer4: neither good"
    )
    assert curve_words.summary(result()) == ""
    kept = curve_words.summary(result(CLEAN, curve("teacher", "triggered", [1.9] * 5)))
    assert "does not make the suspect ignore the picture" in kept


def test_the_untrained_network_is_spoken_of_only_where_it_lies_on_top() -> None:
    on_top = curve("random", "clean", [3.0] * 5)
    below = curve("random", "clean", [1.0] * 5)
    assert "untrained" in curve_words.comparing(result(CLEAN, on_top))
    assert "untrained" not in curve_words.comparing(result(CLEAN, below))
