"""How a fit ended, in an error or a warning that says what to try."""

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from ..core.stopping import Collapse
from ..preprocessing.notices import warn_user
from ..preprocessing.parameters import auto_max_iter
from ..preprocessing.scaling import FAR
from .neighbours import neighbours_err_alike
from .reserve import SLOWER, predicts_a_constant
from .run import collapse_of

# A loss that is lower by less than this share of it may have missed something.
LITTLE = 0.3
# Rows up to which second order is worth a try.
SMALL = 3000
# Weights with so many times the loss of the mean are not worth keeping.
TOO_LARGE = 10
# Weights beyond this are looked at once more: the last step may have gone anywhere.
LARGE_WEIGHT = 100
# A loss that is lower than that of the best constant by this share of it is no lower.
ROUNDING = 1e-6
# Rates from here on are rather too high than too low.
HIGH = 0.1
# Weights below this are what regularisation leaves of them, and not units that died.
DECAYED = 1e-3
# The share of each weight that a step takes off, from where on it learns nothing, and
# from where on it leaves weights larger than it has found them.
FORGETTING, OVERSHOOT = 0.1, 2


def explain(fit, warn=True):
    """Raise or warn about how a run ended; nothing is said of a good end.

    What to try is left in ``fit.advice``, for whoever judges the model later.

    Parameters
    ----------
    fit : Fit
        After it has chosen its weights.
    warn : bool, default=True
        Whether to speak of more than divergence, and of a network that has died.

    Raises
    ------
    FloatingPointError
        If training diverged and left no weights worth keeping.
    """
    outcome = fit.standing.outcome
    if outcome == "diverged":
        _explain_divergence(fit)
    elif _blown_up(fit):
        raise FloatingPointError(f"{_diverged(fit)} in its last step. {_slower(fit)}")
    elif fit.died:
        _explain_collapse(fit)
    elif warn and _learnt_nothing(fit):
        _explain_failure(fit)
    elif warn and (fit.fell_back or fit.standing.slower < fit.slower_before):
        _explain_collapse(fit)
    elif warn and outcome == "max_iter" and _still_falling(fit):
        _explain_the_budget(fit)
    elif warn and _missed_something(fit):
        _explain_what_was_missed(fit)
    elif _left(fit) < 1:  # it was told of when it happened
        fit.advice = [_lower_rate(fit)]


def _explain_the_budget(fit):
    fit.advice = ["a larger max_iter"]
    cure = "Raise max_iter"
    if "schedule" in fit.settings.solver.uses:
        fit.advice.append("learning_rate_schedule='cosine'")
        cure += (
            ", or use learning_rate_schedule='cosine', which ends within the budget it "
            "has"
        )
    _warn(
        f"max_iter={fit.settings.max_iter} was reached while the loss was still "
        f"falling. {cure}."
    )


def _explain_collapse(fit):
    rate, lower = _rate(fit) * fit.slower_before, _lower_rate(fit)
    fit.advice = ["less regularisation"] if _held_back(fit) else [lower]
    what = f"the weights of epoch {fit.state.kept} were kept"
    if fit.died:
        what = f"it goes on from the weights of epoch {fit.state.kept}, at {lower}"
    elif fit.standing.slower < 1:
        what = f"it went on from better weights at {lower}"
    from_the_start = "" if _held_back(fit) else " from the start"
    _warn(
        f"Training collapsed at learning_rate={rate:g}: what had been learnt was lost, "
        f"and the predictions became one number. So {what}. Try {fit.advice[0]}"
        f"{from_the_start}."
    )


def _left(fit):
    """Which share of the learning rate is left after collapses."""
    reserve = fit.state.reserve
    return fit.standing.slower if reserve is None else reserve.slower


def _lower_rate(fit):
    left = _left(fit)
    return f"learning_rate={_rate(fit) * (left if left < 1 else SLOWER):g}"


def _has_a_rate(fit):
    """Whether its solver has a learning rate that users choose."""
    return "learning_rate" in fit.settings.solver.uses


def _rate(fit):
    return float(fit.settings.model.learning_rate)  # users may write a fraction


def _diverged(fit):
    """What has happened, for a message; what to try is left as advice."""
    fit.advice = _slower_cures(fit)
    if _decays_by(fit, OVERSHOOT):
        return f"Training diverged at weight_decay={fit.weight_decay:g}"
    if not _has_a_rate(fit):
        return "Training diverged"
    return f"Training diverged at learning_rate={_rate(fit):g}"


def _blown_up(fit):
    """Whether the kept weights predict no number.

    The loss of an epoch is made before its last step, and may have been finite.
    """
    large = np.abs(fit.theta).max() > LARGE_WEIGHT
    return large and not np.isfinite(fit.final_loss)


def _explain_divergence(fit):
    what, standing = _diverged(fit), fit.standing
    if standing.done == 1:
        raise FloatingPointError(f"{what} within the first epoch. {_slower(fit)}")
    nothing_learnt = standing.best_epoch <= standing.epochs_before
    if nothing_learnt or _blown_up(fit) or _absurd(fit):
        raise FloatingPointError(
            f"{what} before it had learnt anything. {_slower(fit)}"
        )
    _warn(f"{what}; the weights of epoch {fit.state.kept} were kept. {_slower(fit)}")


def _absurd(fit):
    """Whether the best weights that there are predict far worse than the mean does."""
    if fit.loss_of_mean == 0 or not fit.settings.standardized:
        return False
    return not fit.final_loss <= TOO_LARGE * fit.loss_of_mean


def _learnt_nothing(fit):
    # The curve of an epoch lags behind its last weights, and dropout adds to it: look
    # twice before blaming the network.
    if fit.standing.last_loss < fit.baseline * (1 - Collapse.SOMETHING):
        return False
    share = Collapse.SOMETHING if fit.judge.reaches_far else ROUNDING
    to_beat = fit.baseline * (1 - share)
    if not (fit.standing.last_loss >= to_beat > 0 and fit.final_loss >= to_beat):
        return False
    return not fit.network.loss.robust or _no_better_on_most_rows(fit, share)


def _no_better_on_most_rows(fit, share):
    """Whether the loss is no lower by that share, leaving out targets that are far off.

    Those can make up the whole of a robust loss, which has not learnt them.
    """
    most = fit.judge.within(FAR)
    if len(most) == len(fit.training_data):
        return True
    to_beat = fit.prepared.target.baseline(fit.network, most) * (1 - share)
    return fit.judge.loss(fit.theta, most) >= to_beat


def _explain_failure(fit):
    settings, rate, constant = fit.settings, _rate(fit), _constant(fit)
    if fit.training_data.is_constant():
        fit.advice = ["columns that vary"]
        _warn(f"No column of X varies: the network predicts no better than {constant}.")
        return
    if settings.standardized and fit.final_loss > TOO_LARGE * fit.loss_of_mean:
        fit.advice = _slower_cures(fit)
        _warn(
            f"The network predicts its own training rows far worse than {constant} "
            f"does: it did not settle. {_slower(fit)}"
        )
        return
    cures = ["less regularisation"]
    if fit.done == settings.max_iter:
        cures.insert(_held_back(fit), f"a larger max_iter (now {settings.max_iter})")
    if _has_a_rate(fit) and (rate >= HIGH or _was_too_fast(fit)):
        cures.insert(0, f"a lower learning_rate (now {rate:g})")
    elif _has_a_rate(fit) and not _held_back(fit):
        cures.insert(0, f"a higher learning_rate (now {rate:g})")
    if fit.judge.reaches_far:
        cures.insert(0, "loss='squared_error'")
    if not settings.standardized:
        cures.insert(0, "standardize=True")
    fit.advice = cures
    _warn(
        f"The network predicts its own training rows no better than {constant} does. "
        f"Try {', '.join(cures)}; if nothing helps, X may say nothing about y."
    )


def _missed_something(fit):
    """Whether it learnt little, although rows that are alike have errors alike.

    Of a run that the user has cut short nothing else is expected.
    """
    if fit.settings.max_iter < auto_max_iter(len(fit.training_data)) / 2:
        return False
    little = (1 - LITTLE) * fit.baseline
    if fit.standing.last_loss < little or not fit.final_loss >= little > 0:
        return False
    if fit.network.loss.robust and not _no_better_on_most_rows(fit, LITTLE):
        return False
    return neighbours_err_alike(fit.network, fit.theta, fit.training_data)


def _explain_what_was_missed(fit):
    fit.advice, also = _bolder_cures(fit), ""
    if len(fit.training_data) <= SMALL and fit.network.layout.units[-1] == 1:
        also = ", or BayesianFFNNRegressor, which is made for small tables"
    _warn(
        "The network predicts its own training rows little better than "
        f"{_constant(fit)} does, and neighbouring rows err alike: there is more in y "
        f"than it has found. Try {', '.join(fit.advice)}{also}."
    )


def _bolder_cures(fit):
    """What to try where there is more to find."""
    sizes, names = fit.network.layout.units[1:-1], fit.network.names[:-1]
    usual = type(fit.settings.model)().hidden_layer_sizes
    cures = []
    if names and "relu" not in names:
        cures.append("activation='relu'")
    if len(sizes) < len(usual) or max(sizes) < max(usual):
        cures.append(f"hidden_layer_sizes={usual}")
    if not _has_a_rate(fit):
        return cures or ["solver='adam'"]
    return [
        *cures,
        f"a larger max_iter (now {fit.settings.max_iter})",
        f"a lower learning_rate (now {_rate(fit):g})",
    ]


def _constant(fit):
    """What the best constant is called."""
    constant = fit.network.loss.constant
    return "one number" if constant is None else constant.name


def _was_too_fast(fit):
    """Whether it had learnt something before, or has units that have died."""
    if collapse_of(fit).has_learnt:
        return True
    return not _held_back(fit) and predicts_a_constant(fit)


def _held_back(fit):
    """Whether regularisation takes weights away faster than they can be learnt."""
    if _decays_by(fit, FORGETTING):
        return True
    W = fit.network.layout.views(fit.theta).W
    return bool(min(np.abs(W_l).max() for W_l in W) < DECAYED)


def _still_falling(fit):
    if fit.baseline == 0:  # y is constant: what falls is next to nothing
        return False
    return not _has_a_rate(fit) or fit.standing.patience["wait"] == 0


def _decays_by(fit, share):
    """Whether steps at a usual rate take more than that share off a weight."""
    if fit.recipe is None:
        return False
    return min(fit.recipe.learning_rate, HIGH) * fit.recipe.weight_decay > share


def _less_decay(fit):
    return f"a lower weight_decay (now {fit.weight_decay:g})"


def _slower_cures(fit):
    """What to try against divergence."""
    if _decays_by(fit, OVERSHOOT):
        return [_less_decay(fit)]
    if not _has_a_rate(fit):
        return ["solver='adam'"]
    cures = [] if fit.settings.standardized else ["standardize=True"]
    cures.append(f"learning_rate={_rate(fit) / 10:g}")
    if fit.recipe is None or fit.recipe.clip_norm is None:
        cures.append("clip_norm=1.0")
    return cures


def _slower(fit):
    """What to try against divergence, in a sentence or two."""
    cures = _slower_cures(fit)
    if cures[0] != "standardize=True":
        return f"Try {', or '.join(cures)}."
    first, *others = cures
    return f"Try {first}. Try {', or '.join(others)}."


def _warn(message):
    warn_user(message, ConvergenceWarning)
