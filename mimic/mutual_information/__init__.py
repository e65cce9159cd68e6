"""How much each layer's activation tells about the output features."""

from mimic.mutual_information.companions import Companion, cross_check
from mimic.mutual_information.estimators import ESTIMATORS, RECOMMENDED, Estimator, estimator_named
from mimic.mutual_information.fitting import CriticFit, Split
from mimic.mutual_information.layerwise import Curve, Measurement, Reading, measure_layers
from mimic.mutual_information.pairs import PairSource
from mimic.mutual_information.verdicts import Verdict

__all__ = [
    "ESTIMATORS",
    "RECOMMENDED",
    "Companion",
    "CriticFit",
    "Curve",
    "Estimator",
    "Measurement",
    "PairSource",
    "Reading",
    "Split",
    "Verdict",
    "cross_check",
    "estimator_named",
    "measure_layers",
]
