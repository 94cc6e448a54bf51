"""`to_torch`, for every estimator that can describe what it consists of."""

from typing import Any

from sklearn.utils.validation import check_is_fitted


class TorchMixin:
    """Gives an estimator `to_torch`; it has a method ``_description``."""

    def to_torch(self, *, ensure_2d: bool = False) -> Any:
        """Make a module of PyTorch that predicts the same, without standard deviations.

        Its layers are PyTorch's own, between a module that standardises and one that
        goes back to the target's units. Its weights are copies, in the dtype of the
        network's, and can be trained on; dropout is no part of it. Several networks
        become their weighted sum. For an example, see the head of
        ``skffnn/export/torch.py``.

        Parameters
        ----------
        ensure_2d : bool, default=False
            Whether the module returns a column for each output, (n_samples, n_outputs),
            also where y had one dimension: for libraries that want it so, such as
            SHAP's explainers. Targets of a loss then need the same shape.

        Returns
        -------
        module : torch.nn.Sequential
            It takes a tensor of shape (n_samples, n_features), of the dtype of the
            network's parameters, and returns one of the shape that `predict` returns,
            or (n_samples, n_outputs). It can be compiled, by ``torch.jit.script`` too.
            Categories are codes in that tensor: a level's place in
            ``categories_[name]``; -1 or the number of levels for a missing one, a
            larger number for an unknown one. Gaps in columns of numbers are NaN.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ImportError
            If PyTorch is not installed.
        """
        check_is_fitted(self)
        from .torch import module_of

        networks = self._description()  # type: ignore[attr-defined]
        return module_of(networks._replace(y_ndim=2) if ensure_2d else networks)
