from itertools import combinations

import numpy as np
import pytest

from mimic.intervals import wilson_interval
from ui import companions, probe_error
from ui.companion_words import agreement, compare, course, order_words

LAYERS = ("stem", "layer1", "layer2", "layer3", "layer4")


def by_layer(*values: float) -> dict[str, float]:
    return dict(zip(LAYERS, values, strict=True))


def test_order_counts_the_pairs_a_loop_counts() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        mine, theirs = rng.permutation(5) + 1.0, rng.permutation(5) + 1.0
        alike = sum(
            (mine[i] - mine[j]) * (theirs[i] - theirs[j]) > 0 for i, j in combinations(range(5), 2)
        )
        found = compare(by_layer(*mine), by_layer(*theirs))
        assert (found.alike, found.decided, found.layers) == (alike, 10, 5)


def test_pairs_whose_bands_overlap_decide_nothing() -> None:
    rising = by_layer(1, 2, 3, 4, 5)
    bands = {layer: (value - 0.6, value + 0.6) for layer, value in rising.items()}
    assert compare(rising, rising, bands).decided == 6  # All but the four neighbouring pairs.
    apart = {layer: (value - 0.4, value + 0.4) for layer, value in rising.items()}
    assert compare(rising, rising, apart).decided == 10


def test_a_companion_that_hardly_varies_tells_no_layers_apart() -> None:
    found = compare(by_layer(1, 2, 3, 4, 5), by_layer(0.999, 1, 0.9995, 1, 1))
    assert (found.decided, found.share) == (0, None)
    assert "tells no two layers apart" in order_words(found)
    assert course(by_layer(0.999, 1, 0.9995, 1, 1), "{:.2f}") == "Suspect: 1.00 in every layer."


def test_the_layer_furthest_apart_is_named_with_both_ranks() -> None:
    found = compare(by_layer(1, 2, 3, 5, 4), by_layer(5, 1, 2, 4, 3))
    assert found.apart == ("stem", 5, 1)
    told = order_words(found)
    assert "Furthest apart on stem: number 5 of 5 by information, number 1 here." in told
    assert "Furthest" not in order_words(compare(by_layer(1, 2, 3, 4, 5), by_layer(2, 3, 4, 5, 6)))


def test_the_course_names_the_ends() -> None:
    said = course(by_layer(0.3, 0.5, 0.2, 0.9, 0.7), "{:.1f}")
    assert said == "Suspect: lowest in layer2 (0.2), highest in layer3 (0.9)."
    assert course({}, "{:.1f}") == ""


def test_agreement_follows_from_the_numbers() -> None:
    rising, falling = by_layer(1, 2, 3, 4, 5), by_layer(5, 4, 3, 2, 1)
    half = by_layer(5, 4, 3, 4.5, 5.5)
    orders = {
        "A": compare(rising, rising), "B": compare(rising, falling), "C": compare(rising, half),
        "D": compare(rising, by_layer(1, 1, 1, 1, 1)), "E": compare(rising, rising),
    }  # fmt: skip
    told = agreement(orders)
    assert "A (10 of 10) and E (10 of 10) order the suspect's layers as the information" in told
    assert "B (0 of 10) orders them the other way round" in told
    assert f"C ({orders['C'].alike} of 10) agrees with it only in part" in told
    assert "D does not tell the layers apart" in told
    assert agreement({}) == ""
    turned = agreement({"A": compare(falling, rising)})
    assert "A (0 of 10) orders them the other way round" in turned


@pytest.mark.parametrize("known", [(), ("stem",)])
def test_little_to_compare_is_no_failure(known: tuple[str, ...]) -> None:
    found = compare(dict.fromkeys(known, 1.0), by_layer(1, 2, 3, 4, 5))
    assert (found.alike, found.decided, found.apart) == (0, 0, None)


def test_accuracies_within_the_sampling_error_are_not_told_apart() -> None:
    images, right = 359, (349, 355, 356, 357, 355)
    shares = by_layer(*(count / images for count in right))
    rows = [
        {"network": "teacher", "layer": layer, "probe_accuracy": share}
        for layer, share in shares.items()
    ]
    inspection = {"downstream": {"test_images": images}}
    known = probe_error.with_intervals(rows, inspection)
    intervals = companions.intervals_of(known, "probe_accuracy")
    found = compare(by_layer(1, 2, 3, 5, 4), shares, None, intervals)
    assert (found.alike, found.decided, found.pairs) == (1, 1, 10)  # Stem and layer3 alone.
    told = agreement({"probe accuracy": found})
    assert "probe accuracy (1 of 1) tells too few layers apart to confirm or contradict it" in told
    assert "The other 9 it does not tell apart." in order_words(found)
    assert course(shares, "{:.1%}", intervals).startswith("Suspect: lowest in stem (97.2%)")
    near = {layer: shares[layer] for layer in LAYERS[1:]}
    told = course(near, "{:.1%}", intervals)
    assert told == "Suspect: 98.9% to 99.4%, which may be chance."


def test_an_interval_is_wilsons_and_needs_a_count_that_fits() -> None:
    assert probe_error.interval_of(349 / 359, 359) == pytest.approx(wilson_interval(349, 359))
    assert probe_error.interval_of(float(np.float32(349 / 359)), 359) is not None
    for share, images in ((0.5, 359), (0.5, None), (None, 10), (1.5, 10), (0.5, 0), ("x", 10)):
        assert probe_error.interval_of(share, images) is None
    assert probe_error.scored_images({"downstream": {"test_images": 5_000}}) == 1_000
    assert probe_error.scored_images(None) is None
    row = {"network": "teacher", "layer": "stem", "probe_accuracy": 0.5, "probe_images": 8}
    (found,) = probe_error.with_intervals([row], {"downstream": {"test_images": 7}})
    assert found["probe_interval"] == pytest.approx(wilson_interval(4, 8))
