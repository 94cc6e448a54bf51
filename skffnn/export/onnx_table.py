"""The columns of a table as an ONNX graph gets them: numbers, and codes of categories.

A graph has one input for the whole table, or one for each column of it.
"""

from typing import Any

import numpy as np

from ..extras import require

skl2onnx = require("skl2onnx", "Conversion to ONNX", extra="onnx")
types = skl2onnx.common.data_types

TEXT = types.StringTensorType
NUMBERS = (
    types.DoubleTensorType,
    types.FloatTensorType,
    types.Int64TensorType,
    types.Int32TensorType,
    types.BooleanTensorType,
)


def input_dtype(inputs):
    """The dtype that holds all inputs but text: float64, float32 or int64."""
    kinds = {type(each.type) for each in inputs}
    if types.DoubleTensorType in kinds:
        return np.dtype(np.float64)
    return np.dtype(np.float32 if types.FloatTensorType in kinds else np.int64)


class Table:
    """Where the columns of a table are among the inputs of a graph.

    Parameters
    ----------
    networks : Networks
    inputs : list of skl2onnx.common._topology.Variable
        One with all columns, or several that have them in the order of fit.
    names : list of str or None
        Of the columns at fit.

    Raises
    ------
    ValueError
        If the inputs are not the columns of fit: others, in another order, or text in
        place of numbers.
    """

    def __init__(self, networks, inputs, names=None):
        self.networks, self.inputs = networks, inputs
        self.levels = {each.feature: each.levels for each in networks.categories}
        if len(inputs) == 1:
            self.places = [(inputs[0], k) for k in range(networks.n_features)]
            self.names = names or list(range(networks.n_features))
        else:
            self.places = [(each, k) for each in inputs for k in range(width(each))]
            self.names = [each.raw_name for each, _ in self.places]
        self._check(names)

    def _check(self, names):
        for feature in range(len(self.places)):
            self._check_type(feature)
        names = names or self.names
        if self.names != names and len(self.names) == len(names):
            raise ValueError(
                f"The columns are {self.names}, and were {names} at fit: keep their "
                "order."
            )
        if len(self.places) != self.networks.n_features:
            raise ValueError(
                f"The inputs have {len(self.places)} columns, and X had "
                f"{self.networks.n_features} at fit."
            )

    def _check_type(self, feature):
        kind, name = type(self.places[feature][0].type), self.names[feature]
        what = f"Column {name!r} is a {kind.__name__}"
        levels = self.levels.get(feature)
        if levels is None and kind not in NUMBERS:
            raise ValueError(
                f"{what}, and a network needs numbers where it had numbers at fit: "
                "encode it in a Pipeline before the network, or fit it as a category."
            )
        if levels and kind is not TEXT and isinstance(levels[0], str):
            raise ValueError(
                f"{what}, and its categories were text at fit, such as {levels[0]!r}: "
                f"make it a {TEXT.__name__}."
            )
        if levels and kind not in NUMBERS and not isinstance(levels[0], str):
            raise ValueError(
                f"{what}, and its categories were numbers at fit, such as "
                f"{levels[0]!r}: make it a {types.FloatTensorType.__name__}."
            )

    def numbers(self, graph: Any, dtype: Any) -> str | None:
        """All columns of numbers side by side, in a dtype; None if there are none."""
        parts = []
        for each in self.inputs:
            own = [self.places[feature] for feature in self.networks.numeric]
            columns = [k for source, k in own if source is each]
            if columns:
                x = graph.cast(each.full_name, dtype)
                every = len(columns) == sum(place[0] is each for place in self.places)
                parts.append(x if every else graph.columns(x, columns))
        if len(parts) < 2:
            return parts[0] if parts else None
        return graph("Concat", *parts, axis=1)

    def codes(self, graph: Any, feature: int) -> str:
        """The codes of a column of categories, (n,)."""
        (source, k), levels = self.places[feature], self.levels[feature]
        x = source.full_name
        if sum(place[0] is source for place in self.places) > 1:
            x = graph.columns(x, [k])
        x = graph("Reshape", x, graph.constant([-1], np.int64))
        if isinstance(source.type, TEXT):
            return codes_of_text(graph, x, levels)
        if isinstance(source.type, types.FloatTensorType):
            levels = self._in_single_precision(feature)
        return codes_of_numbers(graph, x, levels)

    def _in_single_precision(self, feature):
        """The levels as a column of float32 has them."""
        levels = np.array(self.levels[feature], np.float32).astype(np.float64)
        if len(np.unique(levels)) < len(levels):
            raise ValueError(
                f"Column {self.names[feature]!r} is a FloatTensorType, and has levels "
                "that float32 cannot tell apart: make it a DoubleTensorType."
            )
        return levels


def width(variable):
    """The columns of an input, if there are several inputs."""
    columns = variable.type.shape[1:]
    return columns[0] if columns and isinstance(columns[0], int) else 1


def codes_of_text(graph, x, levels):
    """The place of each level, or the codes behind them: "" is a missing one."""
    missing = len(levels)
    place = {"": missing, **{level: code for code, level in enumerate(levels)}}
    return graph(
        "LabelEncoder",
        x,
        op_domain="ai.onnx.ml",
        op_version=2,
        keys_strings=list(place),
        values_int64s=list(place.values()),
        default_int64=missing + 1,
    )


def codes_of_numbers(graph, x, levels):
    """The place of each level, or the codes behind them: NaN is a missing one.

    A search by halves among the sorted levels, in double precision, as a LabelEncoder
    rounds its numbers to float32.
    """
    n, x = len(levels), graph.cast(x, np.float64)
    steps = [2**k for k in reversed(range(max(0, n - 1).bit_length()))]
    padding = sum(steps) + 1 - n
    padded = graph.constant([*levels, *[np.inf] * padding], np.float64)
    place = graph.constant(0, np.int64)
    for step in steps:
        further = graph("Add", place, graph.constant(step, np.int64))
        below = graph("Less", x, graph("Gather", padded, further))
        place = graph("Where", below, place, further)
    level = graph("Gather", padded, place)
    other = graph("Or", graph("Less", x, level), graph("Greater", x, level))
    missing, unknown = (graph.constant(code, np.int64) for code in (n, n + 1))
    code = graph("Where", other, unknown, place)
    return graph("Where", graph("IsNaN", x), missing, code)
