"""`to_torch`, for every estimator that can describe what it consists of."""

from typing import Any

from sklearn.utils.validation import check_is_fitted


class TorchMixin:
    """Gives an estimator `to_torch`; it has a method ``_description``."""

    def to_torch(self) -> Any:
        """Make a module of PyTorch that predicts the same, without standard deviations.

        Its layers are PyTorch's own, between a module that standardises and one that
        goes back to the target's units. Its weights are copies, in the dtype of the
        network's, and can be trained on; dropout is no part of it. Several networks
        become their weighted sum. For an example, see the head of
        ``skffnn/export/torch.py``.

        Returns
        -------
        module : torch.nn.Sequential
            It takes a tensor of shape (n_samples, n_features), of the dtype of the
            network's parameters, and returns one of the shape that `predict` returns.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ImportError
            If PyTorch is not installed.
        """
        check_is_fitted(self)
        from .torch import module_of

        return module_of(self._description())  # type: ignore[attr-defined]
