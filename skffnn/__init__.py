"""A feed-forward neural network regressor for scikit-learn, from scratch in NumPy."""

from .display import LossCurveDisplay
from .evaluation import Evaluation, evaluate
from .regressor import FFNNRegressor

__version__ = "0.1.0"

__all__ = ["Evaluation", "FFNNRegressor", "LossCurveDisplay", "evaluate"]
