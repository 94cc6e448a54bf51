"""How a fit ended, in an error or a warning that says what to try."""

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ..preprocessing.checks import warn_user
from .run import TOO_LARGE

# Weights beyond this are looked at once more: the last step may have gone anywhere.
LARGE_WEIGHT = 100


def explain(fit, warn=True):
    """Raise or warn about how a run ended; nothing is said of a good end.

    Parameters
    ----------
    fit : Fit
        After it has settled.
    warn : bool, default=True
        Whether to speak of more than divergence.

    Raises
    ------
    FloatingPointError
        If training diverged and left no weights worth keeping.
    """
    if fit.outcome == "diverged":
        _explain_divergence(fit)
    elif _blown_up(fit):
        raise FloatingPointError(f"{_diverged(fit)} in its last step. {_slower(fit)}")
    elif warn and _learnt_nothing(fit):
        _explain_failure(fit)
    elif warn and fit.outcome == "max_iter" and _still_falling(fit):
        cure = "Raise max_iter"
        if fit.model.solver != "lbfgs":
            cure += (
                ", or use learning_rate_schedule='cosine', which ends within the "
                "budget it has"
            )
        _warn(
            f"max_iter={fit.max_iter} was reached while the loss was still falling. "
            f"{cure}."
        )


def _diverged(fit):
    if fit.model.solver == "lbfgs":
        return "Training diverged"
    return f"Training diverged at learning_rate={fit.model.learning_rate:g}"


def _blown_up(fit):
    """Whether the kept weights, which no epoch was judged by, predict no number."""
    large = np.abs(fit.theta).max() > LARGE_WEIGHT
    return large and not np.isfinite(fit.final_loss)


def _explain_divergence(fit):
    what = _diverged(fit)
    if fit.done == 1:
        raise FloatingPointError(f"{what} within the first epoch. {_slower(fit)}")
    if fit.best.epoch <= fit.epochs_before or _blown_up(fit) or _absurd(fit):
        raise FloatingPointError(
            f"{what} before it had learnt anything. {_slower(fit)}"
        )
    _warn(f"{what}; the weights of epoch {fit.kept} were kept. {_slower(fit)}")


def _absurd(fit):
    """Whether the best weights there are are worse than none."""
    if fit.mean_loss == 0 or not fit.standardizes:
        return False
    return not fit.final_loss <= TOO_LARGE * fit.mean_loss


def _learnt_nothing(fit):
    # The curve of an epoch lags behind its last weights, and dropout adds to it: look
    # twice before blaming the network.
    return fit.last_loss >= fit.mean_loss > 0 and fit.final_loss >= fit.mean_loss


def _explain_failure(fit):
    model = fit.model
    if fit.standardizes and fit.final_loss > TOO_LARGE * fit.mean_loss:
        _warn(
            "The network predicts its own training rows far worse than their mean "
            f"does: it did not settle. {_slower(fit)}"
        )
        return
    cures = [f"a larger max_iter (now {fit.max_iter})", "less regularisation"]
    if model.solver != "lbfgs":
        another = "a higher" if model.learning_rate < 0.1 else "a lower"
        cures.insert(0, f"{another} learning_rate (now {model.learning_rate:g})")
    if not fit.standardizes:
        cures.insert(0, "standardize=True")
    _warn(
        "The network predicts its own training rows no better than their mean does. "
        f"Try {', '.join(cures)}; if nothing helps, X may say nothing about y."
    )


def _still_falling(fit):
    return fit.model.solver == "lbfgs" or fit.patience.state["wait"] == 0


def _slower(fit):
    model = fit.model
    if model.solver == "lbfgs":
        return "Try solver='adam'."
    try_this = f"Try learning_rate={model.learning_rate / 10:g}"
    try_this += ", or clip_norm=1.0." if fit.clip_norm is None else "."
    return try_this if fit.standardizes else f"Try standardize=True. {try_this}"


def _warn(message):
    warn_user(message, ConvergenceWarning)
