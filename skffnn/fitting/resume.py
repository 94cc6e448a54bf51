"""What a run has to learn: only the same run, on the same rows, can be resumed."""

from hashlib import sha256

import numpy as np
from joblib import hash as hash_of

from ..preprocessing.parameters import layers
from ..preprocessing.scaling import blocks, dense

# Parameters that may be others when a run is resumed.
_FREE = ("random_state", "warm_start", "verbose")


def digest(*tables):
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
    return sha.hexdigest()


def lesson_of(model, rows):
    """What is to be learnt, and how: plain values.

    Parameters
    ----------
    model : FFNNRegressor
    rows : str
        Their digest.
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
    return {"rows": rows, "parameters": parameters}


def _told_apart(value):
    """The value if it is plain, else a hash of it."""
    value = _plain(value)
    simple = value is None or isinstance(value, bool | int | float | str)
    return value if simple else f"hash {hash_of(value)}"


def _plain(value):
    """Numbers of NumPy and of Python are the same, and so are all layouts."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, np.generic):
        return value.item()
    if hasattr(value, "__array__"):
        return np.ascontiguousarray(value)
    return value


def check_same(model, lesson):
    """Raise ValueError if the model's last run had something else to learn.

    Parameters
    ----------
    model : FFNNRegressor
        Fitted.
    lesson : dict
        What is asked for now.
    """
    before = model._state["lesson"]
    if before is None:
        raise ValueError(
            "There is no fit to resume: the last rows came through partial_fit, which "
            "goes on by itself."
        )
    for name, now in lesson["parameters"].items():
        was = before["parameters"].get(name)
        if was != now:
            raise ValueError(
                f"resume=True goes on with a fit whose {name} was {was!r}; it is now "
                f"{now!r}. Set it back, or leave resume out: with warm_start=True a "
                "new fit starts from these weights."
            )
    if before["rows"] != lesson["rows"]:
        raise ValueError(
            "resume=True goes on with a fit on other rows, weights or validation rows. "
            "Pass the same, or leave resume out: with warm_start=True a new fit starts "
            "from these weights."
        )
    if model.solver == "lbfgs" and "run" in model._state:
        raise ValueError(
            "solver='lbfgs' cannot resume an interrupted fit: what it remembers is "
            "SciPy's own. Leave resume out; with warm_start=True it starts from these "
            "weights."
        )
