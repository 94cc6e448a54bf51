"""A network: its shape, its activations, its loss; and the two passes over rows."""

import numpy as np

from .activations import activation_of
from .backprop import backward, embed, forward, input_gradient
from .blas import touch_packing_memory
from .data import slopes
from .layout import ForwardBatch, Layout, Workspace
from .prediction import chunk_rows, predict_chunks


class Network:
    """A feed-forward network without its parameters, which live in a flat theta.

    Parameters
    ----------
    units : sequence of int
        Inputs, units of each hidden layer, outputs.
    activations : sequence of str
        The name for each layer, the output's last: ``len(units) - 1`` of them.
    loss : Loss, default=None
        With its hyperparameters filled in; a network that only predicts needs none.
    tables : sequence of tuple of int, default=()
        Levels and width of the embedding table of each embedded column; their widths
        are a part of ``units[0]``.

    Examples
    --------
    The network of the equations: two inputs, three hidden units, one output.

    >>> from skffnn.core.losses import squared_error
    >>> network = Network([2, 3, 1], ["logistic", "identity"], squared_error)
    >>> X, Y = np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([[1.0], [0.0]])
    >>> theta = np.zeros(network.layout.size)
    >>> grad = np.empty_like(theta)
    >>> float(network.gradient(theta, grad, X, Y).sum())
    0.25
    """

    def __init__(self, units, activations, loss=None, tables=()):
        self.layout = Layout(units, tables)
        self.names = tuple(activations)
        self.activations = [activation_of(name) for name in self.names]
        self.loss = loss

    def workspace(self, theta, n, **options):
        """Work space for batches of up to n rows, in the shape and dtype of theta."""
        touch_packing_memory()
        stack = theta.shape[:-1]
        return Workspace(self.layout, n, theta.dtype, stack, self.keeps_z, **options)

    @property
    def keeps_z(self):
        """For each layer, whether its activation needs z for its derivative."""
        return [activation.needs_z for activation in self.activations]

    def gradient(self, theta, grad, X, Y, share=None, codes=None):
        """J over all rows of X at once, one number per output; dJ/dtheta into grad."""
        n = X.shape[-2]
        batch = self.workspace(theta, n).head(n)
        batch.x[...] = X
        if codes is not None:
            batch.codes[...] = codes
        if share is not None:
            batch.share = share
        return self.batch_gradient(theta, grad, batch, Y)

    def batch_gradient(self, theta, grad, batch, Y):
        """J of the rows whose inputs and shares a batch holds; dJ/dtheta into grad."""
        batch.y[...] = Y
        parameters, gradient = self.layout.views(theta), self.layout.views(grad)
        y_hat = forward(parameters, self.activations, batch)
        J = self.loss(y_hat, batch.y, batch.share, batch.delta[-1])
        backward(parameters, gradient, self.activations, batch)
        return J

    def clear_unused(self, theta, data):
        """Set to 0 what no row of the data uses, and training would leave as it was.

        The weights of constant inputs, and the rows of levels that no row has: of those
        a new row would meet random numbers.

        Parameters
        ----------
        theta : ndarray of shape (P,)
        data : Data
        """
        parameters = self.layout.views(theta)
        W = parameters.W[0][: self.layout.n_inputs]
        W[data.constant_inputs()] = 0
        if data.codes is not None:
            n_rows = data.rows_of_levels(self.layout.tables)
            for E_c, n_rows_c in zip(parameters.E, n_rows, strict=True):
                E_c[n_rows_c == 0] = 0

    def inputs(self, theta, data):
        """a_1 of the rows of data, (..., n, units[0]): X, and what is embedded."""
        stack = theta.shape[:-1]
        batch = ForwardBatch(self.layout, (*stack, len(data)), theta.dtype)
        data.read(data.at(slice(0, len(data))), batch)
        if batch.codes is not None:
            embed(self.layout.views(theta), batch)
        return batch.a[0]

    def predict(self, theta, data, out=None):
        """y_hat for the rows of data.

        Parameters
        ----------
        theta : ndarray of shape (P,) or (K, P)
        data : Data
            Its ``rows`` are predicted, (n,) or (K, n).
        out : ndarray of shape (n, n_outputs) or (K, n, n_outputs), default=None
            Where to write y_hat; by default new memory in the dtype of theta.
        """
        parameters = self.layout.views(theta)
        n, units, stack = len(data), self.layout.units, theta.shape[:-1]
        if out is None:
            out = np.empty((*stack, n, units[-1]), theta.dtype)
        if n >= chunk_rows(units):
            touch_packing_memory()
            predict_chunks(self.layout, parameters, self.activations, data, out)
        else:
            batch = ForwardBatch(self.layout, (*stack, n), theta.dtype)
            data.read(data.at(slice(0, n)), batch)
            out[...] = forward(parameters, self.activations, batch)
        return out

    def input_gradient(self, theta, data, out=None):
        """dy_hat/dX for the rows of data, with respect to X as the table holds it.

        Parameters
        ----------
        theta : ndarray of shape (P,) or (K, P)
        data : Data
            Its ``rows`` are looked at, (n,) or (K, n).
        out : ndarray of shape (..., n, n_outputs, n_columns), default=None
            Where to write; by default new memory in the dtype of theta. The columns are
            those of ``data.X``.
        """
        parameters = self.layout.views(theta)
        n, units, stack = len(data), self.layout.units, theta.shape[:-1]
        n_columns = data.X.shape[1]
        if out is None:
            out = np.empty((*stack, n, units[-1], n_columns), theta.dtype)
        most = chunk_rows(units)
        for start in range(0, n, most):
            rows = slice(start, min(start + most, n))
            shape = *stack, rows.stop - start
            batch = ForwardBatch(self.layout, shape, theta.dtype, self.keeps_z)
            data.read(data.at(rows), batch)
            forward(parameters, self.activations, batch)
            slope = slopes(batch.x[..., :n_columns], data, data.at(rows))[
                ..., np.newaxis, :
            ]
            gradient = input_gradient(parameters, self.activations, batch)
            np.multiply(gradient[..., :n_columns], slope, out=out[..., rows, :, :])
        return out
