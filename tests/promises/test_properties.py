"""What holds for any table: shapes, dtypes, layouts, values and parameters at random.

The default run is short and always the same. The long one draws new cases each time:
``pytest -m slow tests/promises/test_properties.py``.
"""

import re
import warnings
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skffnn import FFNNRegressor
from skffnn.core.activations import SELU_ALPHA, SELU_SCALE

LONG = 3000
HIDDEN = ["identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "selu"]
LOSSES = [
    "squared_error",
    "root_mean_squared_error",
    "absolute_error",
    "huber",
    "quantile",
    "poisson",
]
FLOATS, ALL = ["f8", "f4"], ["f8", "f4", "i4", "i1", "?"]
ORDINARY = ["normal", "shifted", "constant", "zeros", "two values", "cauchy"]
EXTREME = [*ORDINARY, "tiny", "huge", "utmost"]


def times(few):
    """Run a test over a few cases by default, and over thousands if asked to."""
    long = pytest.param(LONG, marks=pytest.mark.slow)
    return pytest.mark.parametrize("examples", [few, long])


def holds(prop, cases, examples, record_property):
    """Check a property case by case, and report how many there were."""
    seen = []

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=examples < LONG,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(cases)
    def check(case):
        seen.append(1)
        prop(case)

    check()
    record_property("cases", len(seen))
    assert len(seen) >= examples


# Cases -------------------------------------------------------------------------------


class Case(NamedTuple):
    X: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None
    parameters: dict
    draw: int

    @property
    def rng(self):
        return np.random.default_rng(self.draw)


def column(rng, kind, n, dtype):
    """A column of that kind: everything that a float holds, or what a byte does."""
    extreme = 30 if dtype == "f4" else 140
    # scikit-learn adds up a table to see whether it is finite.
    most = np.finfo(dtype if dtype in FLOATS else "f4").max
    values = {
        "normal": lambda: rng.normal(size=n),
        "shifted": lambda: 1e4 + rng.normal(size=n),
        "constant": lambda: np.full(n, rng.normal() * 10.0 ** rng.integers(-3, 4)),
        "zeros": lambda: np.zeros(n),
        "two values": lambda: rng.integers(0, 2, n) * 3.0,
        "cauchy": lambda: rng.standard_cauchy(n),
        "tiny": lambda: rng.normal(size=n) * 10.0**-extreme,
        "huge": lambda: rng.normal(size=n) * 10.0**extreme,
        "utmost": lambda: rng.uniform(-1, 1, n) * most / 2**14,
    }[kind]()
    if dtype == "?":
        return values > 0
    if dtype[0] == "i":
        return np.round(np.clip(20 * values, -128, 127)).astype(dtype)
    return values.astype(dtype)


PARAMETERS = {
    "hidden_layer_sizes": st.lists(st.integers(1, 9), max_size=3),
    "activation": st.sampled_from(HIDDEN),
    "output_activation": st.sampled_from(["identity", *HIDDEN]),
    "loss": st.sampled_from(LOSSES),
    "solver": st.sampled_from(["adam", "sgd", "lbfgs"]),
    "learning_rate": st.sampled_from([0.02, 1e-3, 1.0, 1e3, 1e8, 1e20]),
    "learning_rate_schedule": st.sampled_from(
        ["cosine", "constant", "invscaling", "adaptive"]
    ),
    "momentum": st.sampled_from([0.995, 0.9, 0.0]),
    "nesterovs_momentum": st.booleans(),
    "quantile": st.sampled_from([0.5, 0.05, 0.9]),
    "huber_delta": st.sampled_from([1.35, 0.1]),
    "weight_decay": st.sampled_from(["auto", 0.0, 0.1, 10.0]),
    "dropout": st.sampled_from([0.0, 0.0, 0.3]),
    "clip_norm": st.sampled_from(["auto", None, 0.1]),
    "batch_size": st.sampled_from(["auto", 1, 3, 8]),
    "max_iter": st.integers(1, 6),
    "n_iter_no_change": st.sampled_from([10, 1]),
    "early_stopping": st.booleans(),
    "validation_fraction": st.sampled_from([None, None, 0.3]),
    "standardize": st.booleans(),
    "shuffle": st.booleans(),
    "random_state": st.integers(0, 99),
}
USUAL_RATES = st.sampled_from([0.02, 1e-3, 0.3])


@st.composite
def parameters(draw, **own):
    """Parameters that go together; own strategies in place of those above."""
    chosen = draw(st.fixed_dictionaries(PARAMETERS | own))
    if chosen["loss"] == "poisson":
        chosen["output_activation"] = "identity"
    if chosen["solver"] == "lbfgs":
        for name in ("dropout", "clip_norm", "learning_rate_schedule"):
            del chosen[name]
    return chosen


WEIGHTS = [None, None, "ones", "zeros in part"]


@st.composite
def weights(draw, kinds, n, rng):
    kind = draw(st.sampled_from(kinds))
    if kind is None:
        return None
    if kind == "ones":
        return np.ones(n)
    if kind == "zeros in part":
        return rng.integers(0, 3, n).astype(float)
    return 10.0 ** rng.uniform(-150, 150, n)


@st.composite
def cases(
    draw,
    *,
    dtypes=ALL,
    x_kinds=EXTREME,
    y_kinds=EXTREME,
    weight_kinds=(*WEIGHTS, "huge ratios"),
    spoilt=False,
    **strategies,
):
    n, draw_ = draw(st.integers(1, 40)), draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(draw_)
    dtype = draw(st.sampled_from(dtypes))
    own = draw(parameters(**strategies))
    width = draw(st.integers(1, 6))
    columns = draw(st.lists(st.sampled_from(x_kinds), min_size=width, max_size=width))
    X = np.column_stack([column(rng, kind, n, dtype) for kind in columns])
    y_dtype = draw(st.sampled_from(dtypes))
    outputs = draw(st.lists(st.sampled_from(y_kinds), min_size=1, max_size=3))
    y = np.column_stack([column(rng, kind, n, y_dtype) for kind in outputs])
    if own["loss"] == "poisson" and y.dtype != bool:
        y = np.abs(y.astype(np.float64))
    if draw(st.booleans()):
        same = rng.integers(0, n, n)
        X, y = X[same], y[same]
    if spoilt and dtype in FLOATS and draw(st.integers(0, 9)) == 0:
        X[rng.integers(n), rng.integers(X.shape[1])] = rng.choice([np.nan, np.inf])
    if y.shape[1] == 1 and draw(st.booleans()):
        y = y[:, 0]
    return Case(X, y, draw(weights(weight_kinds, n, rng)), own, draw_)


# Layouts -----------------------------------------------------------------------------


def read_only(array):
    copy = array.copy()
    copy.flags.writeable = False
    return copy


LAYOUTS = {
    "C": np.ascontiguousarray,
    "F": np.asfortranarray,
    "every other row": lambda array: np.repeat(array, 2, axis=0)[::2],
    "every other column": lambda array: np.repeat(array, 2, axis=-1)[..., ::2],
    "backwards": lambda array: array[::-1].copy()[::-1],
    "read-only": read_only,
    "other byte order": lambda array: array.astype(array.dtype.newbyteorder()),
}
layouts = st.sampled_from(list(LAYOUTS))


# Finite, or refused ------------------------------------------------------------------


REFUSALS = {
    ValueError: "contains NaN|contains infinity|variance overflows|too large for it"
    "|too few to hold out|Every sample_weight is zero",
    FloatingPointError: "^Training diverged.*Try ",
}


def learnt(model):
    return [name for name in vars(model) if name.endswith("_")]


def finite_or_refused(arguments):
    case, x_layout, y_layout = arguments
    X, y = LAYOUTS[x_layout](case.X), LAYOUTS[y_layout](case.y)
    given = [X, y] if case.weight is None else [X, y, case.weight]
    before = [array.copy() for array in given]
    model = FFNNRegressor(**case.parameters)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", UserWarning)
        refusal = None
        try:
            model.fit(X, y, sample_weight=case.weight)
        except (ValueError, FloatingPointError) as error:
            refusal = error
        if refusal is not None:
            assert re.search(REFUSALS[type(refusal)], str(refusal))
            assert not learnt(model)
        else:
            y_hat = model.predict(X)
            assert y_hat.shape == y.shape
            assert np.isfinite(y_hat).all()
            assert np.isfinite(model.theta_).all()
    for array, copy in zip(given, before, strict=True):
        np.testing.assert_array_equal(array, copy)


@times(40)
def test_fit_and_predict_are_finite_or_refused(examples, record_property):
    any_case = st.tuples(cases(spoilt=True), layouts, layouts)
    holds(finite_or_refused, any_case, examples, record_property)


# A part of the rows ------------------------------------------------------------------

# How much an activation stretches a difference, and what it makes of 0.
SLOPES = {"logistic": 0.25, "selu": SELU_SCALE * SELU_ALPHA, "exp": np.nan}
AT_ZERO = {"logistic": 0.5}
MANY = 1100  # rows, of which predictions are made in chunks
FUNCTION = 8  # roundings of a sum: those of an activation, a bias, and a scale


@np.errstate(all="ignore")  # of weights beyond all measure the bound is infinite
def rounding(model, X):
    """How far two ways to compute the same predictions may be apart, at most.

    Sums of k products in any order, in floats of precision eps, are within k eps of
    each other, relative to the sum of the products' absolute values. What that sum is,
    a second network tells: the same one with absolute weights, biases and inputs, in
    which nothing cancels. An error goes on through the layers as those magnitudes do,
    and each layer adds its own: by induction the bound is the sum of all k, times eps,
    times the magnitude of the output. An exponential turns an error in z into a
    relative one.
    """
    eps = float(np.finfo(model.theta_.dtype).eps)
    centre = model.x_mean_.astype(model.theta_.dtype)
    size = np.abs((X.astype(float) - model.x_mean_) / model.x_scale_)
    # What rounding the mean leaves over is added behind the logarithm of a heavy tail.
    left_over = np.zeros(X.shape[1])
    heavy = model.x_heavy_
    left_over[heavy] = (np.abs(model.x_mean_ - centre) / model.x_scale_)[heavy]
    error, roundings = np.broadcast_to(left_over, X.shape), FUNCTION
    for W, b, name in zip(
        model.coefs_, model.intercepts_, model.activations_, strict=True
    ):
        W, b = np.abs(W.astype(float)), np.abs(b.astype(float))
        size, error = size @ W + b, error @ W
        roundings += len(W) + FUNCTION
        if name != "exp":
            slope = SLOPES.get(name, 1)
            size, error = slope * size + AT_ZERO.get(name, 0), slope * error
    error = error + roundings * eps * size
    y_hat = np.abs(model.predict(X).reshape(len(X), -1))
    if model.activations_[-1] == "exp":
        error = (np.expm1(error) + FUNCTION * eps) * y_hat / model.y_scale_
    return error * model.y_scale_ + 4 * np.finfo(float).eps * (
        y_hat + np.abs(model.y_mean_)
    )


def fitted_or_none(case, X=None, y=None):
    """A model of a case, or none of a table that is refused."""
    model = FFNNRegressor(**case.parameters)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        try:
            return model.fit(
                case.X if X is None else X,
                case.y if y is None else y,
                sample_weight=case.weight,
            )
        except (ValueError, FloatingPointError):
            return None


def same_for_a_part_of_the_rows(case):
    model, X, n = fitted_or_none(case), case.X, len(case.X)
    # Weights that have blown up add inf to -inf in the one order and not in another.
    if model is None or np.abs(model.theta_).max() > 1e6:
        return
    whole, most = model.predict(X).reshape(n, -1), 2 * rounding(model, X)
    some = case.rng.integers(0, n, case.rng.integers(1, 2 * n))
    for rows in (some, some[:1], np.arange(n)[::-1], np.resize(np.arange(n), MANY)):
        part = model.predict(X[rows]).reshape(len(rows), -1)
        assert not (np.abs(part - whole[rows]) > most[rows]).any()


@times(40)
def test_a_part_of_the_rows_is_predicted_like_all_of_them(examples, record_property):
    # Weights that have blown up add inf and -inf in the one order and not in another.
    some = cases(y_kinds=ORDINARY, learning_rate=USUAL_RATES, standardize=st.just(True))
    holds(same_for_a_part_of_the_rows, some, examples, record_property)


# Units -------------------------------------------------------------------------------


def learnt_from(model, case):
    """The rows that a model learnt from, and their weights."""
    weight = np.ones(len(case.y)) if case.weight is None else case.weight.copy()
    if model.validation_indices_ is not None:
        weight[model.validation_indices_] = 0
    rows = weight > 0
    return rows, weight[rows] / weight.max()


def without_spread(model, case):
    """Which targets are all but constant: those are not divided by anything.

    Behind an exponential they are divided by their mean, where that is not 0.
    """
    rows, weight = learnt_from(model, case)
    y = case.y.reshape(len(case.y), -1)[rows].astype(float)
    mean = np.average(y, axis=0, weights=weight)
    if model.activations_[-1] == "exp":
        return mean == 0
    spread = np.sqrt(np.average((y - mean) ** 2, axis=0, weights=weight))
    return spread <= 1e-12 * np.abs(mean)


def the_unit_of_a_feature_does_not_matter(arguments):
    case, exponents = arguments
    unit = 2.0 ** np.resize(exponents, case.X.shape[1]).astype(case.X.dtype)
    model, other = fitted_or_none(case), fitted_or_none(case, X=case.X * unit)
    assert (model is None) == (other is None)
    if model is not None:
        np.testing.assert_array_equal(other.theta_, model.theta_)
        np.testing.assert_array_equal(
            other.predict(case.X * unit), model.predict(case.X)
        )


def the_unit_of_the_target_does_not_matter(arguments):
    case, exponents = arguments
    y = case.y.astype(float)
    unit = 2.0 ** np.resize(exponents, y.shape[1:])
    model, other = fitted_or_none(case, y=y), fitted_or_none(case, y=y * unit)
    assert (model is None) == (other is None)
    if model is None:
        return
    constant = without_spread(model, case)
    if constant.any() and model.validation_indices_ is not None:
        return  # rows that differ from the constant are judged in their own units
    np.testing.assert_array_equal(other.theta_, model.theta_)
    scale = np.where(constant, 1, unit)
    np.testing.assert_array_equal(other.y_mean_, unit * model.y_mean_)
    np.testing.assert_array_equal(other.y_scale_, scale * model.y_scale_)
    same = np.broadcast_to(scale == unit, case.y.shape)
    np.testing.assert_array_equal(
        other.predict(case.X)[same], (unit * model.predict(case.X))[same]
    )


# Where all weight is on one row, or on equal ones, a column has no spread beside it: it
# is taken for a constant one, and is not divided by anything.
measured = cases(
    weight_kinds=WEIGHTS,
    dtypes=FLOATS,
    x_kinds=ORDINARY,
    y_kinds=ORDINARY,
    standardize=st.just(True),
    output_activation=st.just("identity"),
)
exponents = st.lists(st.integers(-20, 20), min_size=6, max_size=6)


@times(40)
@pytest.mark.parametrize(
    "prop",
    [the_unit_of_a_feature_does_not_matter, the_unit_of_the_target_does_not_matter],
)
def test_units_do_not_matter(prop, examples, record_property):
    holds(prop, st.tuples(measured, exponents), examples, record_property)


# Layouts of the same numbers ---------------------------------------------------------


def the_layout_does_not_matter(arguments):
    case, y_layout = arguments
    model, y = fitted_or_none(case), LAYOUTS[y_layout](case.y)
    few, many = case.X, np.resize(case.X, (MANY, case.X.shape[1]))
    for layout in LAYOUTS.values():
        other = fitted_or_none(case, layout(case.X), y)
        assert (model is None) == (other is None)
        if model is None:
            continue
        assert other.theta_.dtype == model.theta_.dtype
        np.testing.assert_array_equal(other.theta_, model.theta_)
        for X in (few, many):
            np.testing.assert_array_equal(other.predict(layout(X)), model.predict(X))


@pytest.mark.filterwarnings("ignore:The predictions of")
@times(40)
def test_the_layout_of_the_numbers_does_not_matter(examples, record_property):
    some = cases(
        dtypes=[*FLOATS, "i4"], learning_rate=USUAL_RATES, standardize=st.just(True)
    )
    any_case = st.tuples(some, layouts)
    holds(the_layout_does_not_matter, any_case, examples, record_property)


# Names of the columns ----------------------------------------------------------------


def other_names_are_refused(arguments):
    case, order, renamed = arguments
    names = [f"column {k}" for k in range(case.X.shape[1])]
    frame = pd.DataFrame(case.X, columns=names)
    model = fitted_or_none(case, frame)
    if model is None:
        return
    model.predict(frame)
    permuted = [names[k] for k in order if k < len(names)]
    if permuted != names:
        with pytest.raises(ValueError, match="must be in the same order"):
            model.predict(frame[permuted])
    old = names[renamed % len(names)]
    named = rf"unseen at fit time:\n- another\n.*now missing:\n- {old}\n"
    with pytest.raises(ValueError, match=re.compile(named, re.DOTALL)):
        model.predict(frame.rename(columns={old: "another"}))


@times(25)
def test_columns_in_another_order_or_of_another_name_are_refused(
    examples, record_property
):
    frames = cases(x_kinds=ORDINARY, y_kinds=ORDINARY, learning_rate=USUAL_RATES)
    any_case = st.tuples(frames, st.permutations(range(6)), st.integers(0, 5))
    holds(other_names_are_refused, any_case, examples, record_property)
