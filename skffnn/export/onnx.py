"""A fitted model as an ONNX graph, which needs no Python: converters for skl2onnx.

Users import `skffnn.onnx`, which registers the estimators of the package.
"""

from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..core.layout import Layout
from ..extras import require
from .activations import exported
from .onnx_table import Table, input_dtype

skl2onnx = require("skl2onnx", "Conversion to ONNX", extra="onnx")
onnx = require("onnx", "Conversion to ONNX", extra="onnx")
types = skl2onnx.common.data_types
# Underlined, but documented for those who write parsers.
parse_sklearn = skl2onnx._parse.parse_sklearn

# ReduceSum takes its axes as an input from here on.
OPSET_OF_STACKS = 13
# Here is the first IsNaN, and the first Where.
OPSET_OF_GAPS = 9


# How it is written down ---------------------------------------------------------------


class Graph:
    """Adds nodes to the graph that skl2onnx is building.

    Called with an operator of ONNX and its inputs, it returns the name of the output.
    Inputs are names, or arrays and numbers, which become constants of the dtype.

    Parameters
    ----------
    scope : skl2onnx.common._topology.Scope
    container : skl2onnx.common._container.ModelComponentContainer
    dtype : dtype
        What the nodes compute in, float32 or float64.
    """

    def __init__(self, scope, container, dtype):
        self.scope, self.container, self.dtype = scope, container, dtype

    def __call__(
        self, operator: str, *inputs: Any, output: str | None = None, **attributes: Any
    ) -> str:
        """Add a node."""
        names = [x if isinstance(x, str) else self.constant(x) for x in inputs]
        output = output or self.scope.get_unique_variable_name(operator.lower())
        name = self.scope.get_unique_operator_name(operator)
        self.container.add_node(operator, names, output, name=name, **attributes)
        return output

    def constant(self, value, dtype=None):
        """Add a constant."""
        array = np.array(value, self.dtype if dtype is None else dtype, order="C")
        name = self.scope.get_unique_variable_name("constant")
        tensor = onnx.numpy_helper.from_array(array)
        self.container.add_initializer(name, None, None, tensor)
        return name

    def cast(self, x, dtype):
        """Add a conversion."""
        to = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self("Cast", x, to=to)

    def columns(self, x, places):
        """Add a choice of columns."""
        return self("Gather", x, self.constant(places, np.int64), axis=1)


def standardise(graph, x, dtype, networks):
    """(x - mean) / scale, and what heavy tails make of it.

    A mean that is large beside the scale needs more digits than float32 has. So does x,
    but it has lost its own before, or is a whole number and has not lost any. So what
    the dtype of x can hold of the mean is subtracted in that dtype, in which the
    difference of two close numbers is exact, and the rest of the mean afterwards.
    """
    mean = networks.x_mean
    centre = mean.astype(dtype)
    z = graph("Sub", x, graph.constant(centre, dtype))
    if dtype != graph.dtype:
        z = graph.cast(z, graph.dtype)
    if (centre != mean).any():
        z = graph("Sub", z, mean - centre)
    z = graph("Div", z, networks.x_scale)
    if dtype.kind == "f" and graph.container.target_opset >= OPSET_OF_GAPS:
        z = graph("Where", graph("IsNaN", z), 0, z)
    return z if np.isinf(networks.x_limit).all() else saturate(graph, z, networks)


def saturate(graph, z, networks):
    """Let columns grow like a logarithm beyond their limits, as core/data.py does."""
    limit = graph.constant(networks.finite_limit(graph.dtype))
    size = graph("Abs", z)
    far = graph("Relu", graph("Sub", size, limit))
    beyond = graph("Log", graph("Add", far, 1))
    size = graph("Add", graph("Min", size, limit), beyond)
    return graph("Mul", graph("Sign", z), size)


def first_layer(graph, table, networks):
    """z_2 = a_1 W_1 + b_1, and what categories and gaps add to it.

    Parameters
    ----------
    graph : Graph
    table : Table
    networks : Networks
    """
    W_1, b_1 = (each[0] for each in Layout(networks.units).views(networks.theta))
    places, without, more = networks.gaps()
    z = b_1 + without
    x, dtype = numbers(graph, table, networks)
    if x is not None:
        a = standardise(graph, x, dtype, networks)
        z = graph("Add", graph("MatMul", a, W_1), z)
    if places and dtype.kind == "f":
        gap = graph("IsNaN", graph.columns(x, places))
        z = graph("Add", z, graph("MatMul", graph.cast(gap, graph.dtype), more))
    for feature, _, rows in networks.categories:
        codes = table.codes(graph, feature)
        z = graph(
            "Add", z, graph("Gather", graph.constant(rows), codes, axis=rows.ndim - 2)
        )
    return z


def numbers(graph, table, networks):
    """The columns of numbers, and their dtype."""
    dtype = input_dtype(table.inputs)
    x = table.numbers(graph, dtype)
    # A network of float32 gets rounded rows from predict, but beside categories.
    rounded = networks.theta.dtype == np.float32 and not networks.categories
    if x is not None and rounded:
        return graph.cast(x, np.float32), graph.dtype
    return x, dtype


def forward(graph, z, networks):
    """a_{l+1} = f(z_{l+1}), and z_{l+2} = a_{l+1} W_{l+1} + b_{l+1}, layer by layer."""
    first, *names = networks.activations
    a = exported(first).onnx(graph, z)
    W, b = Layout(networks.units).views(networks.theta)
    for W_l, b_l, name in zip(W[1:], b[1:], names, strict=True):
        z = graph("Add", graph("MatMul", a, W_l), b_l)
        a = exported(name).onnx(graph, z)
    return a


def in_units(graph, y_hat, networks, output):
    """Bring y_hat back to the target's units, and add up what a stack has."""
    y_hat = graph("Mul", y_hat, networks.y_scale)
    if networks.theta.ndim > 1:
        axes = graph.constant([0], np.int64)
        y_hat = graph("ReduceSum", y_hat, axes, keepdims=0)
    graph("Add", y_hat, networks.y_mean, output=output)


# What skl2onnx calls ------------------------------------------------------------------


def output_dtype(operator):
    """The dtype of the prediction: float32, unless the inputs are wider."""
    wide = input_dtype(operator.inputs) == np.float64
    return np.dtype(np.float64 if wide else np.float32)


def table_of(operator, networks):
    """Where the columns are; refuse a table whose columns are not those of fit."""
    names = getattr(operator.raw_operator, "feature_names_in_", None)
    return Table(networks, operator.inputs, None if names is None else list(names))


def set_output(operator):
    """Tell the type and the shape of the prediction, and refuse what is no table."""
    model = operator.raw_operator
    check_is_fitted(model)
    networks = model._description()
    table_of(operator, networks)
    wide = output_dtype(operator) == np.float64
    kind = types.DoubleTensorType if wide else types.FloatTensorType
    n_rows = operator.inputs[0].get_first_dimension()
    n_outputs = networks.units[-1]
    operator.outputs[0].type = kind([n_rows, n_outputs])


def check_range(networks):
    """Refuse scales that are too large or small for float32, whatever the dtype.

    onnxruntime looks at numbers of float64 as if they were of float32, and takes an
    operation out of the graph if it is, so seen, one with 0.
    """
    bounds = np.finfo(np.float32)
    scales = networks.x_scale, networks.y_scale
    sizes = [np.abs(mean) for mean in (networks.x_mean, networks.y_mean)]
    if any((size > bounds.max).any() for size in (*sizes, *scales)) or any(
        (scale < bounds.tiny).any() for scale in scales
    ):
        raise ValueError(
            "A column or the target is on a scale that float32 does not reach, which "
            "ONNX runtimes do not cope with: divide the data by a constant before fit."
        )


def convert(scope, operator, container):
    """Write the graph of a fitted model."""
    model = operator.raw_operator
    networks = model._description()
    check_range(networks)
    if networks.theta.ndim > 1 and container.target_opset < OPSET_OF_STACKS:
        raise ValueError(
            f"Several networks need target_opset={OPSET_OF_STACKS} or later; got "
            f"{container.target_opset}."
        )
    out = Graph(scope, container, output_dtype(operator))
    # A network of float32 stays in float32.
    graph = Graph(scope, container, min(out.dtype, networks.theta.dtype))
    z = first_layer(graph, table_of(operator, networks), networks)
    y_hat = forward(graph, z, networks)
    y_hat = out.cast(y_hat, out.dtype)
    in_units(out, y_hat, networks, operator.outputs[0].full_name)


def register(kind):
    """Let skl2onnx convert the estimators of a class.

    Parameters
    ----------
    kind : type
        With a method ``_description``.
    """
    skl2onnx.update_registered_converter(
        kind, f"Skffnn{kind.__name__}", set_output, convert
    )


def parse_search(scope, model, inputs, custom_parsers=None):
    """Put the best estimator of a search, alone or a pipeline, in the search's place.

    Parameters and returns are those of every parser of skl2onnx.
    """
    check_is_fitted(model)
    if not hasattr(model, "best_estimator_"):
        raise ValueError(
            "A search with refit=False has no estimator to convert: fit one with "
            "best_params_, or set refit=True."
        )
    return parse_sklearn(scope, model.best_estimator_, inputs, custom_parsers)


def register_search(kind):
    """Let skl2onnx convert the searches of a class."""
    skl2onnx.update_registered_parser(kind, parse_search)
