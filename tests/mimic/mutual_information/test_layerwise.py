import dataclasses

import numpy as np
import pytest
import torch

from mimic.datasets import ImageSet
from mimic.encoder import Encoder
from mimic.encoder.resnet import ResNet
from mimic.errors import ConfigError
from mimic.mutual_information import Curve, Measurement, PairSource, measure_layers
from mimic.mutual_information.layerwise import both_sides, gaussian_upper_bound, spread
from mimic.preprocessing import Preprocessing, parse_normalization
from mimic.trigger import Trigger
from mimic.views import RECIPES, Recipe

CPU = torch.device("cpu")
SEE = Preprocessing(parse_normalization("none"))
SQUARE = Trigger.square(row=10, column=10, size=5, image_size=16)
CROPS_ONLY = Recipe(crop=(0.3, 1.0), rotation=20.0, jitter=0.0, grey=0.0)
SETTINGS = Measurement(
    layers=("stem", "layer4"), pool=2, noise=1.0, epochs=6, batch_size=64, learning_rate=1e-3,
    seed=0,
)  # fmt: skip


def plain_images(count: int) -> ImageSet:
    """Each image of one brightness of its own, which no crop can hide."""
    values = np.arange(2, 2 + count, dtype=np.uint8)
    return ImageSet("plain", np.broadcast_to(values[:, None, None, None], (count, 16, 16, 3)), None)


def bars(count: int) -> ImageSet:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, 4, 4, 3)).repeat(4, 1).repeat(4, 2).astype(np.uint8)
    return ImageSet("bars", images, None)


def draw(subset: ImageSet, **changes: object) -> PairSource:
    options = {"pairs": 60, "held_out": 0.25, "recipe": CROPS_ONLY, "seed": 0}
    return PairSource.draw(subset, SQUARE, **{**options, **changes})  # type: ignore[arg-type]


def test_views_of_one_image_stay_on_one_side_of_the_split() -> None:
    source = draw(plain_images(12))
    assert len(source.clean) == 60
    origin = source.clean[:, 0, 0, 0]
    assert (source.clean == origin[:, None, None, None]).all()
    fitted, held_out = set(origin[source.fitted]), set(origin[~source.fitted])
    assert len(fitted) == 8
    assert len(held_out) == 4
    assert not fitted & held_out
    np.testing.assert_array_equal(np.bincount(origin)[2:], np.full(12, 5))


def test_the_trigger_is_stamped_on_the_finished_view() -> None:
    source = draw(bars(12))
    assert source.stamped is not None
    np.testing.assert_array_equal(source.stamped, SQUARE.apply(source.clean))
    assert (source.stamped[:, 10:15, 10:15] == 255).all()
    np.testing.assert_array_equal(source.images("clean"), source.clean)
    np.testing.assert_array_equal(source.images("triggered"), source.stamped)


def test_a_subset_that_is_large_enough_is_used_as_it_is() -> None:
    subset = bars(60)
    source = draw(subset)
    np.testing.assert_array_equal(source.clean, subset.images)
    assert int((~source.fitted).sum()) == 15


def test_extending_a_subset_makes_new_views_and_repeats_by_seed() -> None:
    subset = bars(12)
    source, again, other = draw(subset), draw(subset), draw(subset, seed=1)
    assert len(np.unique(source.clean.reshape(60, -1), axis=0)) == 60
    np.testing.assert_array_equal(source.clean, again.clean)
    np.testing.assert_array_equal(source.fitted, again.fitted)
    assert (source.clean != other.clean).any()


@pytest.mark.parametrize("count", [8, 9, 30])
def test_small_subsets_still_leave_images_on_both_sides(count: int) -> None:
    for held_out in (0.01, 0.5, 0.99):
        source = draw(bars(count), held_out=held_out, recipe=RECIPES["digits"])
        assert source.fitted.sum() >= 2
        assert (~source.fitted).sum() >= 4


class Blinded(ResNet):
    """Sees mean colours of quarters, but one and the same if pixel (12, 12) is white."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        super().forward(x)  # for its activations
        features = torch.nn.functional.adaptive_avg_pool2d(x, 2).flatten(1)
        hit = (x[:, :, 12, 12] == 1).all(dim=1, keepdim=True)
        return torch.where(hit, torch.ones_like(features), features)


def measured(encoder: Encoder, source: PairSource, **changes: object) -> list[Curve]:
    settings = dataclasses.replace(SETTINGS, **changes)  # type: ignore[arg-type]
    return list(
        measure_layers(
            encoder.eval(), SEE, source, settings, network="teacher",
            inputs=("clean", "triggered"), device=CPU,
        )
    )  # fmt: skip


def estimates(curves: list[Curve]) -> dict[tuple[str, str], float]:
    return {(c.input, c.layer): c.estimate for c in curves if c.estimate is not None}


def test_features_that_ignore_triggered_images_carry_no_information_there(
    tiny_encoder: Encoder,
) -> None:
    encoder = Blinded(tiny_encoder.architecture)
    encoder.load_state_dict(tiny_encoder.state_dict())
    subset = bars(400)
    images = subset.images.copy()
    images[:, 12, 12] = 0  # No clean image is white there.
    source = draw(dataclasses.replace(subset, images=images), pairs=400)
    nats = estimates(measured(encoder, source))
    assert nats["clean", "stem"] > 0.3
    for layer in SETTINGS.layers:
        assert nats["triggered", layer] < 0.05


def test_the_affine_map_of_clean_images_serves_triggered_ones_too(tiny_encoder: Encoder) -> None:
    source = draw(bars(60))
    settings = dataclasses.replace(SETTINGS, layers=("stem",), pool=0, noise=0.0)
    sides = both_sides(
        tiny_encoder, SEE, source, settings, inputs=("clean", "triggered"), device=CPU
    )

    def outputs(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = torch.from_numpy(images).permute(0, 3, 1, 2) / 255
        stem = torch.relu(tiny_encoder.bn1(tiny_encoder.conv1(x))).flatten(1).numpy()
        features = tiny_encoder(x).numpy()
        return stem, features / np.linalg.norm(features, axis=1, keepdims=True)

    assert source.stamped is not None
    clean, stamped = outputs(source.clean), outputs(source.stamped)
    for kind, own in (("clean", clean), ("triggered", stamped)):
        found = (sides[kind].activations["stem"], sides[kind].features)
        for values, reference, raw in zip(found, clean, own, strict=True):
            scale = np.sqrt((reference.std(0, ddof=1) ** 2).mean())
            expected = (raw - reference.mean(0)) / scale
            np.testing.assert_allclose(values.numpy(), expected, atol=1e-3)


def test_clean_and_triggered_features_get_the_same_noise(tiny_encoder: Encoder) -> None:
    source = draw(bars(60))

    def features(noise: float) -> list[torch.Tensor]:
        settings = dataclasses.replace(SETTINGS, layers=("stem",), noise=noise)
        sides = both_sides(
            tiny_encoder, SEE, source, settings, inputs=("clean", "triggered"), device=CPU
        )
        return [sides[kind].features for kind in ("clean", "triggered")]

    added = [noisy - plain for noisy, plain in zip(features(0.5), features(0.0), strict=True)]
    torch.testing.assert_close(added[0], added[1])
    assert float(added[0].std()) == pytest.approx(0.5, rel=0.1)


def test_as_published_everything_is_raw_and_scored_on_its_own_pairs(tiny_encoder: Encoder) -> None:
    source = draw(bars(60))
    settings = dataclasses.replace(
        SETTINGS, layers=("layer4",), pool=0, noise=0.0, as_published=True, estimator="mine-joint",
        epochs=12,
    )  # fmt: skip
    sides = both_sides(tiny_encoder, SEE, source, settings, inputs=("clean",), device=CPU)
    lengths = sides["clean"].features.norm(dim=1)
    torch.testing.assert_close(lengths, torch.ones(60))
    assert float(sides["clean"].activations["layer4"].min()) == 0  # after ReLU, not centred
    (split,) = settings.splits(source)
    assert sorted(torch.cat(split.halves).tolist()) == sorted(split.fitted.tolist())
    assert len(split.fitted) == 60
    curves = list(
        measure_layers(
            tiny_encoder, SEE, source, settings, network="teacher", inputs=("clean",), device=CPU
        )
    )
    late = [max(0.0, curve.fit) for curve in curves[-10:]]
    reading = curves[-1].reading
    assert reading is not None
    assert reading.nats == pytest.approx(np.mean(late), abs=1e-5)
    assert "pairs it was fitted on" in reading.verdict.sentence
    assert reading.upper_bound is None


def test_no_layer_can_exceed_the_gaussian_bound(tiny_encoder: Encoder) -> None:
    random = torch.Generator().manual_seed(0)
    features = torch.randn(20_000, 3, generator=random) * torch.tensor([2.0, 1.0, 0.0])
    expected = (np.log(1 + 4 / 0.25) + np.log(1 + 1 / 0.25)) / 2
    assert gaussian_upper_bound(features, 0.5) == pytest.approx(expected, abs=0.03)
    for curve in measured(tiny_encoder, draw(bars(60)), epochs=1):
        assert curve.reading is not None
        assert curve.reading.upper_bound is not None
        assert curve.reading.nats < curve.reading.upper_bound


def test_a_projection_narrows_wide_layers_and_keeps_their_products(tiny_encoder: Encoder) -> None:
    source = draw(bars(60))
    found = []
    for projection in (0, 400):
        settings = dataclasses.replace(
            SETTINGS, layers=("stem", "layer4"), pool=0, projection=projection
        )
        sides = both_sides(tiny_encoder, SEE, source, settings, inputs=("clean",), device=CPU)
        found.append(sides["clean"].activations)
    wide, narrow = found
    assert wide["stem"].shape[1] == 1_024
    assert narrow["stem"].shape[1] == 400
    torch.testing.assert_close(narrow["layer4"], wide["layer4"])  # is shorter than that already
    products = [(part["stem"] @ part["stem"].T).flatten() for part in found]
    assert float(torch.corrcoef(torch.stack(products))[0, 1]) > 0.9


def test_nearest_neighbours_read_layers_without_training(tiny_encoder: Encoder) -> None:
    curves = measured(tiny_encoder, draw(bars(200), pairs=200), estimator="ksg", noise=0.1)
    assert [(c.input, c.layer, c.epoch, c.epochs) for c in curves] == [
        (kind, layer, 1, 1) for kind in ("clean", "triggered") for layer in ("stem", "layer4")
    ]
    assert all(c.estimate is not None and c.estimate >= 0 for c in curves)


def test_several_critics_give_a_band_around_their_mean(tiny_encoder: Encoder) -> None:
    curves = measured(tiny_encoder, draw(bars(80), pairs=80), critics=3, epochs=2)
    for curve in curves:
        assert curve.held_out_low <= curve.held_out <= curve.held_out_high
        if curve.reading is not None:
            low, high = curve.reading.band
            assert low <= curve.reading.nats <= high
    assert any(curve.held_out_low < curve.held_out_high for curve in curves)


def test_records_come_epoch_by_epoch_and_repeat_by_seed(tiny_encoder: Encoder) -> None:
    source = draw(bars(40), pairs=40)
    curves = measured(tiny_encoder, source, epochs=2)
    keys = [(c.network, c.input, c.layer, c.epoch, c.epochs) for c in curves]
    assert keys == [
        ("teacher", kind, layer, epoch, 2)
        for epoch in (1, 2) for kind in ("clean", "triggered") for layer in ("stem", "layer4")
    ]  # fmt: skip
    assert all((c.estimate is not None) == (c.epoch == 2) for c in curves)
    assert measured(tiny_encoder, source, epochs=2) == curves


def test_unknown_layers_are_refused(tiny_encoder: Encoder) -> None:
    with pytest.raises(ConfigError, match="no layer 'layer7'"):
        measured(tiny_encoder, draw(bars(20)), layers=("layer7",))


def test_spread_is_one_scale_for_all_columns_and_never_zero() -> None:
    values = torch.tensor([[0.0, 5], [2, 5], [4, 5]])
    assert float(spread(values)) == pytest.approx(np.sqrt((2**2 + 0) / 2))
    assert float(spread(torch.ones(3, 2))) > 0


def test_no_image_is_in_two_parts_of_a_split() -> None:
    source = draw(plain_images(12), held_out=0.5)
    shown = source.clean[:, 0, 0, 0]
    held = set()
    for number, split in enumerate(source.splits(2)):
        parts = [set(shown[rows.numpy()]) for rows in (split.fitted, *split.halves)]
        assert all(parts)
        assert sum(map(len, parts)) == len(set.union(*parts)) == 12
        assert sum(len(rows) for rows in (split.fitted, *split.halves)) == 60
        if number == 0:
            np.testing.assert_array_equal(split.fitted.numpy(), np.flatnonzero(source.fitted))
        held |= parts[1] | parts[2]
    assert len(held) == 12  # Together, the critics score every image.


def test_more_images_than_pairs_are_drawn_from_everywhere() -> None:
    source = draw(plain_images(200), pairs=60)
    shown = source.clean[:, 0, 0, 0]
    assert len(shown) == 60
    assert shown.max() > 150
    assert len(set(shown.tolist())) == 60
