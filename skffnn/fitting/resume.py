"""What a fit is to learn, as a fingerprint: only the same fit can be resumed."""

from hashlib import sha256

import numpy as np
from joblib import hash as hash_of

from ..preprocessing.parameters import layers, standardizes, uses, why_not
from ..preprocessing.scaling import blocks, dense

# Parameters that may be others when a fit is resumed.
_FREE = ("random_state", "warm_start", "verbose")


def digest_of(*tables):
    """A hash of all rows, targets and weights.

    Parameters
    ----------
    *tables : Table or None
    """
    sha = sha256()
    for table in filter(None, tables):
        n, n_features = table.X.shape
        parts = blocks(range(n), n_features)
        for array in (np.array(table.X.shape), table.Y, table.weight):
            if array is not None:
                sha.update(np.ascontiguousarray(array).data)
        for part in parts:
            sha.update(dense(table.X, part).data)
        for codes in table.codes:
            sha.update(np.ascontiguousarray(codes).data)
    return sha.hexdigest()


def fingerprint_of(model, digest):
    """What is to be learnt, and how: plain values.

    Parameters
    ----------
    model : estimator
        With the parameters of `FFNNRegressor`.
    digest : str
        The digest of the rows.
    """
    parameters = {
        name: _told_apart(value)
        for name, value in model.get_params(deep=False).items()
        if name not in _FREE
    }
    # A list is as good as a tuple, and one name as good as one for each layer.
    sizes, activations = layers(model)
    parameters["hidden_layer_sizes"] = str(sizes)
    parameters["activation"] = ", ".join(activations[:-1])
    return {"digest": digest, "parameters": parameters}


def _told_apart(value):
    """The value if JSON has a word for it, else a hash of it."""
    value = _without_layout(value)
    simple = value is None or isinstance(value, bool | int | float | str)
    return value if simple else f"hash {hash_of(value)}"


def _without_layout(value):
    """Numbers of NumPy and of Python are the same, and so are all layouts of arrays."""
    if isinstance(value, dict):
        return {name: _without_layout(each) for name, each in value.items()}
    if isinstance(value, np.generic):
        return value.item()
    if hasattr(value, "__array__"):
        return np.ascontiguousarray(value)
    return value


def check_same_network(model, state, n_outputs):
    """Raise ValueError if the parameters or the data ask for another network.

    Parameters
    ----------
    model : estimator
        Fitted.
    state : State
        Of the model.
    n_outputs : int
        Of the rows to go on with.
    """
    sizes, activations = layers(model)
    fitted, now = (
        (model.units_, model.activations_),
        ([model.units_[0], *sizes, n_outputs], activations),
    )
    if fitted != now:
        raise ValueError(
            f"The fitted network has units {fitted[0]} and activations {fitted[1]}; "
            f"the parameters and data now ask for {now[0]} and {now[1]}. To start "
            "afresh, call fit with warm_start=False."
        )
    if state.standardized != standardizes(model):
        raise ValueError(
            f"standardize is now {model.standardize!r}, but the weights were learnt "
            "with the opposite. To start afresh, call fit with warm_start=False."
        )


def check_fingerprint(model, state, now):
    """Raise ValueError if the last fit of a model had something else to learn.

    Parameters
    ----------
    model : estimator
        Fitted.
    state : State
        Of the model.
    now : dict
        The fingerprint of what is asked for now.
    """
    before = state.fingerprint
    if before is None:
        raise ValueError(
            "There is no fit to resume: the last rows came through partial_fit, which "
            "goes on by itself."
        )
    parameters = before["parameters"]
    if parameters.keys() != now["parameters"].keys():
        # One that is younger than the file had its default.
        defaults = fingerprint_of(type(model)(), "")["parameters"]
        parameters = {**defaults, **parameters}
    for name, value in now["parameters"].items():
        was = parameters[name]
        if was != value:
            raise ValueError(
                f"resume=True goes on with a fit whose {name} was {was!r}; it is now "
                f"{value!r}. Set it back, or leave resume out: with warm_start=True a "
                "new fit starts from these weights."
            )
    if before["digest"] != now["digest"]:
        raise ValueError(
            "resume=True goes on with a fit on other rows, weights or validation rows. "
            "Pass the same, or leave resume out: with warm_start=True a new fit starts "
            "from these weights."
        )
    if not uses(model, "resume") and state.run is not None:
        raise ValueError(
            f"solver={model.solver!r} cannot resume an interrupted fit"
            f"{why_not(model, 'resume')}. Leave resume out; with warm_start=True it "
            "starts from these weights."
        )
