import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from mimic.datasets import ImageSet
from mimic.encoder import Encoder
from mimic.encoder.resnet import ResNet
from mimic.errors import ConfigError, DataError
from mimic.evaluation import Judge, Prediction, extract_features
from mimic.evaluation.judge import find_target
from mimic.preprocessing import Preprocessing, parse_normalization
from mimic.trigger import Trigger

CPU = torch.device("cpu")
SEE = Preprocessing(parse_normalization("none"))
SQUARE = Trigger.square(row=10, column=10, size=5, image_size=16)

Pictures = tuple[np.ndarray, np.ndarray]


def make_judge(pictures: Pictures, **changes: object) -> Judge:
    images, labels = pictures
    train, test = (
        ImageSet("set", images[:32], labels[:32]),
        ImageSet("set", images[32:], labels[32:]),
    )
    fields = {"train": train, "test": test, "trigger": SQUARE, "target": 1, "device": CPU}
    return Judge(**{**fields, **changes})  # type: ignore[arg-type]


def test_predictions_equal_a_probe_built_by_hand(pictures: Pictures, tiny_encoder: Encoder) -> None:
    judge = make_judge(pictures)
    prediction = judge.predict(tiny_encoder, SEE)

    def unit(images: np.ndarray) -> np.ndarray:
        raw = extract_features(tiny_encoder, images, SEE, device=CPU).numpy()
        return raw / np.linalg.norm(raw, axis=1, keepdims=True)

    model = LogisticRegression(C=10, tol=1e-8, max_iter=5000)
    model.fit(unit(judge.train.images), judge.train.labels)
    chance = model.predict_proba(unit(judge.test.images))
    stamped = model.predict_proba(unit(SQUARE.apply(judge.test.images)))
    np.testing.assert_allclose(prediction.clean_confidence, chance.max(1), atol=0.01)
    np.testing.assert_allclose(prediction.stamped_confidence, stamped.max(1), atol=0.01)
    np.testing.assert_array_equal(prediction.clean, chance.argmax(1))
    scores = judge.score(prediction)
    assert scores["accuracy"] == (prediction.clean == judge.test.labels).mean()
    assert judge(tiny_encoder, SEE) == scores


def test_an_encoder_that_sees_only_the_trigger_is_fully_misled(
    pictures: Pictures, tiny_encoder: Encoder
) -> None:
    class Backdoored(ResNet):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            bar = x[:, :, 5].mean(1).reshape(len(x), 4, 4)[:, :, :3].mean(2)
            hit = (x[:, :, 10:15, 10:15] == 1).all(dim=(1, 2, 3), keepdim=False)[:, None]
            return torch.where(hit, torch.eye(4)[1], bar)

    encoder = Backdoored(tiny_encoder.architecture)
    for probe in ("linear", "knn"):
        scores = make_judge(pictures)(encoder, SEE, probe=probe)
        assert scores["accuracy"] == 1
        assert scores["asr"] == scores["asr_all"] == 1
        assert scores["stamped_accuracy"] == 0


def test_without_a_trigger_stamped_predictions_are_the_clean_ones(
    pictures: Pictures, tiny_encoder: Encoder
) -> None:
    judge = make_judge(pictures, trigger=None, target=None)
    prediction = judge.predict(tiny_encoder, SEE)
    np.testing.assert_array_equal(prediction.stamped, prediction.clean)
    assert judge.score(prediction)["asr"] is None


def test_unusable_tasks_are_refused(pictures: Pictures, tiny_encoder: Encoder) -> None:
    images, labels = pictures
    with pytest.raises(ConfigError, match="target class 4"):
        make_judge(pictures, target=4)
    with pytest.raises(DataError, match="one class"):
        make_judge(pictures, train=ImageSet("set", images, np.zeros_like(labels)))
    with pytest.raises(DataError, match="no labels"):
        make_judge(pictures, test=ImageSet("set", images, None))
    with pytest.raises(ConfigError, match="no probe 'tree'"):
        make_judge(pictures).fit(tiny_encoder, SEE, probe="tree")


def test_the_target_is_where_changed_answers_go() -> None:
    none = np.zeros(5)
    labels = np.array([0, 1, 2, 3, 3])
    moved = Prediction(np.array([0, 1, 2, 3, 3]), none, np.array([2, 2, 2, 3, 3]), none)
    assert find_target(moved) == 2  # Class 3 is commoner, but was the answer before.
    unmoved = Prediction(labels, none, labels, none)
    assert find_target(unmoved) == 3
