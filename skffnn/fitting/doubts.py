"""What speaks against a committee, in an error or a warning that says what to try."""

from sklearn.exceptions import ConvergenceWarning

from ..preprocessing.notices import warn_user

# The noise is told by what the parameters leave of the rows. With less than this share,
# fits to noise-free and to noisy targets look alike.
LEFT = 0.25
# Units of a single layer that follow more ups and downs than the default ones.
WIDE = 30


def affordable(networks, n, most):
    """Return the networks that are small enough for second order, if there are any.

    Parameters
    ----------
    networks : list of Network
    n : int
        Rows.
    most : float
        Multiply-adds that a step may take.
    """
    sizes = [network.layout.size for network in networks]
    work = [n * P**2 + P**3 for P in sizes]
    if min(work) > most:
        P = min(sizes)
        raise ValueError(
            f"This network has P = {P:,} parameters. On {n:,} rows a step of second "
            f"order takes n P^2 + P^3 = {min(work):.1g} multiply-adds, and each P x P "
            f"matrix {8 * P**2 / 2**20:,.0f} MiB: too much. Use FFNNRegressor, which "
            "is made for large tables, or fewer hidden units, columns or rows."
        )
    pairs = zip(networks, work, strict=True)
    return [network for network, steps in pairs if steps <= most]


def warn_of_doubts(model, committee, doubts):
    """Warn of runs that were cut short, of nothing learnt, of noise nobody can tell.

    Parameters
    ----------
    model : BayesianFFNNRegressor
    committee : Committee
        The one that is kept.
    doubts : set of str
        See `skffnn.fitting.committee.Committee.doubts`.

    Returns
    -------
    advice : list of str
        What to try, for whoever judges the model later, best first.
    """
    advice = []
    unfinished = sum(run.unfinished for run in committee.runs)
    if unfinished:
        advice = [f"a larger max_iter (now {model.max_iter})"]
        warn_user(
            f"max_iter={model.max_iter} ended {unfinished} of {len(committee.runs)} "
            "runs that were still making progress: raise max_iter, or tol.",
            ConvergenceWarning,
        )
    if committee.constant.all():
        advice = ["columns that vary"]
        warn_user(
            "No column of X varies: all predictions are the mean of y.",
            ConvergenceWarning,
        )
    elif doubts:
        advice = [*_warn_of_little(model, committee, doubts), *advice]
    # Whatever they weigh, rows are no more than there are; the mean of y takes one.
    n, effective = committee.n_rows, committee.n_effective_parameters()
    if n - 1 - effective < LEFT * n:
        warn_user(
            f"{n:g} rows determine {effective:.1f} parameters, and leave little to "
            "tell the noise by: standard deviations may be far too small. Pass more "
            "rows, or fewer columns or hidden units."
        )
    return advice


def _warn_of_little(model, committee, doubts):
    """Warn that the networks explain little or nothing; return what may help."""
    share = max(committee.explained(), 0.0)
    aside = ""
    if "neighbours" in doubts:
        aside = ", and neighbouring rows err alike"
    elif share >= 0.005:
        aside = ", about as much as chance would"
    size = tuple(int(units) for units in committee.network.layout.units[1:-1])
    wide = max(WIDE, 2 * max(size))
    advice = [
        f"hidden_layer_sizes={wide} (now {size})",
        f"a larger n_restarts (now {model.n_restarts})",
    ]
    warn_user(
        f"The networks explain {share:.0%} of the variance of y{aside}, whichever of "
        f"{committee.n_started} first weights they start from. If y goes up and down "
        f"many times, try {', '.join(advice)}, or more rows; if nothing helps, X may "
        "say nothing about y.",
        ConvergenceWarning,
    )
    return advice


def warn_of_weights(weight, n):
    """Warn of weights that are no numbers of rows."""
    if weight is None or n / 10 <= weight.sum() < 10 * n:
        return
    total = weight.sum()
    warn_user(
        f"sample_weight adds up to {total:g} for {n} rows, which are taken for so "
        "many: a row of weight 2 counts like two rows. If only the ratios are meant, "
        f"multiply the weights by {n / total:.6g}."
    )
