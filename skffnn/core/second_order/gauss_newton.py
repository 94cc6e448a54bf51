"""Gauss-Newton: the sums over all rows that second-order training needs, in chunks."""

import numpy as np
from scipy.linalg.blas import dsyrk

from ..backprop import forward, jacobian

# Numbers in a chunk of the Jacobian: 2 MiB of float64.
CHUNK = 2**18


class RowGradients:
    """dy_hat/dtheta row by row, for a network with one output: a chunk at a time.

    Parameters
    ----------
    network : Network
        With one output.
    data : Data
        In float64.
    """

    def __init__(self, network, data):
        self.network, self.data = network, data
        P, n = network.layout.size, len(data)
        most = min(n, max(1, CHUNK // P))
        self.space = network.workspace(np.empty(P), most)
        self.chunks = [slice(i, min(i + most, n)) for i in range(0, n, most)]
        self.J = np.empty((most, P))

    def passes(self, theta):
        """Pass forward; each chunk's slice of the rows, and its batch."""
        parameters = self.network.layout.views(theta)
        for part in self.chunks:
            batch = self.space.head(part.stop - part.start)
            self.data.read(self.data.at(part), batch)
            forward(parameters, self.network.activations, batch)
            yield part, batch

    def of(self, theta, batch, v=1.0):
        """Return v times the gradient of each row; valid until the next call."""
        layout = self.network.layout
        J = self.J[: len(batch.y)]
        batch.delta[-1][...] = v
        parameters, gradients = layout.views(theta), layout.views(J)
        jacobian(parameters, gradients, self.network.activations, batch)
        return J


class GaussNewton:
    """Squared errors of a network with one output, their slope and their curvature.

    With e = y_hat - y, J = dy_hat/dtheta and the weights w of the rows, these are
    sum(w e^2), J' W e and J' W J. The last is the Gauss-Newton matrix: half the second
    derivative of the first, but for terms that vanish with e. Memory is a square of P
    and a chunk of rows, whatever the number of rows.

    Parameters
    ----------
    network : Network
        With one output.
    data : Data
        In float64. A row of weight 2 counts like two rows.

    Attributes
    ----------
    n : float
        The number of rows, counted by weight.
    gradient : ndarray of shape (P,)
        J' W e, as the last call of `sums` left it.
    matrix : ndarray of shape (P, P)
        J' W J likewise; its lower triangle, in Fortran order, as LAPACK takes it.
    """

    def __init__(self, network, data):
        self.data, self.row_gradients = data, RowGradients(network, data)
        P, n = network.layout.size, len(data)
        self.row, self.gradient = np.empty(P), np.empty(P)
        self.matrix = np.empty((P, P), order="F")
        self.n = float(n)
        if data.weight is not None:
            self.n = float(data.weight[data.at(slice(0, n))].sum())

    def squares(self, theta):
        """sum(w e^2) alone, which takes a pass forward."""
        return sum(
            _square(self._error(*one)[0]) for one in self.row_gradients.passes(theta)
        )

    def sums(self, theta):
        """sum(w e^2); its slope and curvature into `gradient` and `matrix`."""
        total = 0.0
        self.gradient[...] = 0
        self.matrix[...] = 0
        for part, batch in self.row_gradients.passes(theta):
            error, root = self._error(part, batch)
            J = self.row_gradients.of(theta, batch, root)
            self.gradient += np.dot(error[:, 0], J, out=self.row)
            dsyrk(1.0, J.T, beta=1.0, c=self.matrix, lower=1, overwrite_c=1)
            total += _square(error)
        return total

    def _error(self, part, batch):
        """The errors of a chunk, (rows, 1), and the roots of w that they contain."""
        rows = self.data.at(part)
        error = np.subtract(batch.a[-1], self.data.targets(rows), out=batch.y)
        if self.data.weight is None:
            return error, 1.0
        root = np.sqrt(self.data.weight[rows])
        error *= root
        return error, root


def _square(error):
    return float(np.vdot(error, error))
