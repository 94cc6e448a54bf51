"""Standardised tables: what the training loop gathers its batches from."""

import numpy as np

from ..core.data import Data
from .encoding import raw_data
from .scaling import blocks, copied, index


def standardized(table, rows, weight, scaling, encoding=None):
    """Rows of a table as standardised `Data` for the core, made block by block.

    A dense X becomes one C-ordered copy: gathering rows from Fortran order, the usual
    layout of a DataFrame, would copy all of it at every batch. Sparse rows and memory
    maps stay as they are and are standardised batch by batch.

    Parameters
    ----------
    table : Table
    rows : range or ndarray of int of shape (n,)
    weight : ndarray of shape (len(table.Y),) or None
    scaling : Scaling
    encoding : Encoding, default=None
        None where all columns are numbers without gaps.
    """
    dtype, y = table.dtype, scaling[3:]
    if weight is not None:
        weight = weight[:, np.newaxis].astype(dtype)
    raw = raw_data(encoding, table.rows, scaling[:3])
    if table.on_disk or not isinstance(table.X, np.ndarray):
        raw.Y = copied(table.Y, range(len(table.Y)), dtype, *y)
        raw.weight = weight
        return raw.of(None if isinstance(rows, range) else rows)
    X = np.empty((len(rows), raw.n_inputs), dtype)
    with np.errstate(over="ignore"):  # rows of weight 0 may hold anything
        start = 0
        for part in blocks(rows, raw.n_inputs):
            stop = start + len(table.Y[part])
            raw.gather_inputs(part, X[start:stop])
            start = stop
    return Data(
        X,
        copied(table.Y, rows, dtype, *y),
        None if weight is None else weight[index(rows)],
        codes=None if raw.codes is None else raw.codes[index(rows)],
    )
