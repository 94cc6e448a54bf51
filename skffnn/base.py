"""What fitted networks have in common, be it one or a committee."""

from typing import Any

from sklearn.utils.validation import check_is_fitted

from .core.data import Data
from .core.network import Network
from .extras import require


class FittedNetworkMixin:
    """Gives an estimator its network, the rows for it, and a module of PyTorch."""

    units_: list[int]
    activations_: list[str]
    x_mean_: Any
    x_scale_: Any
    x_heavy_: Any

    def _network(self):
        return Network(self.units_, self.activations_)

    # Not _data: a masked array, as in cv_results_, would hold that in its place.
    def _rows(self, X):
        return Data(X, None, None, None, self.x_mean_, self.x_scale_, self.x_heavy_)

    def to_torch(self) -> Any:
        """Make a module of PyTorch that predicts the same, without standard deviations.

        Its layers are PyTorch's own, between a module that standardises and one that
        goes back to the target's units. Its weights are copies, in the dtype of
        ``theta_``, and can be trained on; dropout is no part of it. A committee becomes
        the weighted mean of its networks. For an example, see the head of
        ``skffnn/torch.py``.

        Returns
        -------
        module : torch.nn.Sequential
            It takes a tensor of shape (n_samples, n_features), of the dtype of
            ``theta_``, and returns one of the shape that `predict` returns.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ImportError
            If PyTorch is not installed.
        """
        check_is_fitted(self)
        require("torch", "to_torch", extra=None)
        from .export.torch import module_of

        return module_of(self)
