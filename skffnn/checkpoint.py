"""ModelCheckpoint: a model on disk while it is being trained."""

import os

from .base import GradientDescentNetwork
from .core.hyperparameters import is_int
from .preprocessing.notices import warn_user
from .preprocessing.parameters import uses
from .saving.archive import check_path


class ModelCheckpoint:
    """A callback of scikit-learn's that saves the model while it is trained.

    If the process is killed, whatever killed it, the file is a whole model, and
    ``fit(X, y, resume=True)`` of it ends with the very weights that the fit would have
    had. When the fit is complete, the file is the fitted model.

    Parameters
    ----------
    path : str or PathLike
        The file, which `FFNNRegressor.load` reads. Each save replaces it when it is
        complete and on the disk.
    every : int, default=1
        Epochs from one save to the next.

    Raises
    ------
    TypeError
        If path is no path, such as an open file.
    ValueError
        If no file can have that name, or every is no number of epochs.

    See Also
    --------
    FFNNRegressor.save : What is saved, and how.

    Notes
    -----
    It belongs on the network itself, also in a `Pipeline`: ``set_callbacks`` of
    scikit-learn 1.9 or later. It is for one fit: in cross-validation or an ensemble the
    fits would overwrite each other's file, and in a search it is refused. Behind it in
    the list of callbacks should be none that ends the run: what comes later is not
    saved with the epoch.

    A save that fails, as on a full disk, is a warning; only that of the complete fit is
    an error, and the model is fitted all the same. A process that is killed while it
    saves leaves a file ``.<name>.<random>.tmp`` behind, which can be deleted.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import make_friedman1
    >>> from skffnn import FFNNRegressor, ModelCheckpoint
    >>> X, y = make_friedman1(n_samples=200, random_state=0)
    >>> path = Path(tempfile.mkdtemp()) / "model.npz"
    >>> def model():  # on every start of the program
    ...     if path.exists():
    ...         return FFNNRegressor.load(path)
    ...     return FFNNRegressor(20, max_iter=60, random_state=0)
    >>> network = model().set_callbacks(ModelCheckpoint(path, every=10))
    >>> network.fit(X, y, resume=True).n_iter_
    60
    >>> model().n_iter_
    60
    """

    def __init__(self, path: str | os.PathLike, every: int = 1) -> None:
        check_path(path)
        if not is_int(every, 1):
            raise ValueError(
                f"every must be a whole number of epochs, at least 1; got {every!r}."
            )
        self.path, self.every = path, every

    def setup(self, estimator, context):
        """Refuse what would not leave one whole model.

        Parameters
        ----------
        estimator : FFNNRegressor
        context : sklearn.callback.CallbackContext
        """
        if not isinstance(estimator, GradientDescentNetwork):
            raise TypeError(
                "ModelCheckpoint belongs on a network whose fit can be resumed, such "
                f"as FFNNRegressor, not on a {type(estimator).__name__}. In a "
                "Pipeline, call set_callbacks of its last step."
            )
        if not uses(estimator, "resume"):
            raise ValueError(
                f"solver={estimator.solver!r} cannot resume a fit, and has no use for "
                "ModelCheckpoint: save the fitted model."
            )
        while (context := context.parent) is not None:
            if context.estimator_name != "Pipeline":
                raise ValueError(
                    f"The fits of {context.estimator_name} would overwrite each "
                    "other's checkpoint: leave ModelCheckpoint out, and fit the best "
                    "parameters with it."
                )

    def teardown(self, estimator, context):
        """Do nothing: every save is complete.

        Parameters
        ----------
        estimator, context
            As in `setup`.
        """

    def on_fit_task_begin(self, estimator, context):
        """Do nothing: there is nothing new to save.

        Parameters
        ----------
        estimator, context
            As in `setup`.
        """

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        """Save, if it is time to.

        Parameters
        ----------
        estimator, context
            As in `setup`.
        fitted_estimator : FFNNRegressor
            The model as if the fit had ended here.
        """
        if context.task_name != "epoch":
            fitted_estimator.save(self.path)
        elif fitted_estimator.n_iter_ % self.every == 0:
            try:
                fitted_estimator.save(self.path)
            except OSError as error:
                warn_user(
                    f"Epoch {fitted_estimator.n_iter_} was not saved: {error}. The "
                    "training goes on, and the file is that of an earlier epoch."
                )
