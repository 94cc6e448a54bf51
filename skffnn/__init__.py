"""A feed-forward neural network regressor for scikit-learn, from scratch in NumPy."""

from .bayesian import BayesianFFNNRegressor
from .checkpoint import ModelCheckpoint
from .core.gradient_check import GradientCheck, check_gradient
from .core.tracing import Trace
from .ensemble import FFNNEnsembleRegressor
from .inspection.display import LearningRateDisplay, LossCurveDisplay
from .inspection.evaluation import Evaluation, evaluate
from .inspection.tracing import trace
from .model_selection import FFNNGridSearchCV
from .regressor import FFNNRegressor

__version__ = "0.1.0"

__all__ = [
    "BayesianFFNNRegressor",
    "Evaluation",
    "FFNNEnsembleRegressor",
    "FFNNGridSearchCV",
    "FFNNRegressor",
    "GradientCheck",
    "LearningRateDisplay",
    "LossCurveDisplay",
    "ModelCheckpoint",
    "Trace",
    "check_gradient",
    "evaluate",
    "trace",
]
