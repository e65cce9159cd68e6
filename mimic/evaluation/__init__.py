"""What an encoder is worth: features, probes, and the scores they give."""

from mimic.evaluation.features import extract_activations, extract_features
from mimic.evaluation.judge import Judge, Prediction
from mimic.evaluation.metrics import attack_success_rate, score
from mimic.evaluation.probe import LinearProbe, MLPProbe, knn_predict

__all__ = [
    "Judge",
    "LinearProbe",
    "MLPProbe",
    "Prediction",
    "attack_success_rate",
    "extract_activations",
    "extract_features",
    "knn_predict",
    "score",
]
