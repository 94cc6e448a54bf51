import io
import json
import struct
import warnings
import zipfile
from contextlib import contextmanager, suppress
from hashlib import sha256

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.datasets import load_diabetes, make_friedman1
from threadpoolctl import threadpool_limits

from skffnn import FFNNEnsembleRegressor, FFNNRegressor
from skffnn.core import training


@pytest.fixture(scope="session", autouse=True)
def _one_blas_thread():
    """Several test processes with several BLAS threads each get in each other's way."""
    with threadpool_limits(1, "blas"):
        yield


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def table(rng):
    """Columns of very different scales and a smooth target with a little noise."""
    X = rng.normal(size=(150, 4)) * [1, 10, 100, 1e-3] + [0, 5, 1000, 0]
    y = 3 * X[:, 0] + 2 * np.sin(X[:, 1] / 5) + 50 + 0.1 * rng.normal(size=150)
    return X, y


@pytest.fixture(scope="session")
def diabetes():
    return load_diabetes(return_X_y=True)


@pytest.fixture(scope="session")
def friedman():
    return make_friedman1(n_samples=120, noise=1, random_state=0)


@pytest.fixture(scope="session")
def waves():
    """200 rows of a wave with noise of 0.1, and a column that says nothing."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-2, 2, (1200, 2))
    y = 5 + np.sin(2 * X[:, 0]) + 0.1 * rng.normal(size=1200)
    return X[:200], y[:200], X[200:], y[200:]


def _network_of(**parameters):
    defaults = {"hidden_layer_sizes": 8, "max_iter": 25, "weight_decay": 0.1}
    return FFNNRegressor(**{**defaults, **parameters})


@pytest.fixture(scope="session")
def network_of():
    """A function that makes a small network, with the parameters that it is given."""
    return _network_of


@pytest.fixture(scope="session")
def ensemble_of():
    """A function that makes a small ensemble; ``network`` are its networks' own."""

    def make(n_estimators=4, network=None, **parameters):
        network = _network_of(**(network or {}))
        return FFNNEnsembleRegressor(
            network, n_estimators, **{"random_state": 0, **parameters}
        )

    return make


class Told:
    """A callback of scikit-learn's: the names of the tasks that have come to an end."""

    def __init__(self):
        self.tasks, self.open = [], 0

    def setup(self, estimator, context):
        self.open += 1

    def teardown(self, estimator, context):
        self.open -= 1

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        self.tasks.append(context.task_name)


@pytest.fixture
def told():
    return Told()


# Files of `save` ----------------------------------------------------------------------


class Forge:
    """Takes files apart, and makes files whose checksum is right, whatever they say."""

    TAIL = len("sha256:") + 64

    @staticmethod
    def parts(path):
        """Names and bytes of what is in a file, in order."""
        with zipfile.ZipFile(path) as archive:
            return [(name, archive.read(name)) for name in archive.namelist()]

    @classmethod
    def packed(cls, parts, compression=zipfile.ZIP_STORED):
        """The bytes of a file of such parts."""
        buffer = io.BytesIO()
        with (
            warnings.catch_warnings(),
            zipfile.ZipFile(buffer, "w", compression) as archive,
        ):
            warnings.filterwarnings("ignore", "Duplicate name")
            for name, content in parts:
                archive.writestr(zipfile.ZipInfo(name), content, compression)
            archive.comment = bytes(cls.TAIL)
        return cls.signed(buffer.getvalue())

    @classmethod
    def signed(cls, data):
        """The same bytes, with the checksum of what they are now."""
        body = bytes(data[: -cls.TAIL])
        return body + b"sha256:" + sha256(body).hexdigest().encode()

    @staticmethod
    def npy(array, version=(1, 0)):
        """An array as it stands in a file; of any dtype."""
        buffer = io.BytesIO()
        np.lib.format.write_array(buffer, np.asanyarray(array), version)
        return buffer.getvalue()

    @staticmethod
    def described(text, content=b""):
        """An entry that says what it likes of its array."""
        text = text.encode("latin1") + b"\n"
        return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + content

    def changed(self, path, *, header=None, **members):
        """The bytes of a file with another header, or with other entries.

        `header` is a function that changes it in place; an entry is its new bytes, an
        array, or None to leave it out.
        """
        parts = dict(self.parts(path))
        if header is not None:
            content = json.loads(parts["header.json"])
            header(content)
            parts["header.json"] = json.dumps(content).encode()
        for name, value in members.items():
            if isinstance(value, np.ndarray):
                value = self.npy(value)
            parts[f"{name}.npy"] = value
        return self.packed((n, part) for n, part in parts.items() if part is not None)


@pytest.fixture(scope="session")
def forge():
    return Forge()


@pytest.fixture(scope="session")
def interrupt():
    """Ctrl-C in the middle of an epoch; a context manager around a fit."""

    @contextmanager
    def after(n_epochs):
        epoch, calls = training._Loop.run, iter(range(n_epochs))

        def run(self, order, rates):
            epoch(self, order, rates)
            # A stack is that of the choice of a weight decay.
            if self.theta.ndim == 1 and next(calls, None) is None:
                raise KeyboardInterrupt

        with pytest.MonkeyPatch.context() as patch, suppress(KeyboardInterrupt):
            patch.setattr(training._Loop, "run", run)
            yield

    return after


def _equal(a, b):
    """Whether two values are, all the way down, whatever they are."""
    if isinstance(a, BaseEstimator):
        return type(a) is type(b) and _equal(_kept(a), _kept(b))
    if isinstance(a, np.ma.MaskedArray):
        same = a.dtype == b.dtype and _equal(
            np.ma.getmaskarray(a), np.ma.getmaskarray(b)
        )
        return same and _equal(a.compressed(), b.compressed())
    if isinstance(a, np.ndarray):
        if not isinstance(b, np.ndarray) or (a.dtype, a.shape) != (b.dtype, b.shape):
            return False
        if a.dtype.kind == "O":
            return _equal(a.ravel().tolist(), b.ravel().tolist())
        return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if isinstance(a, dict):
        if not isinstance(b, dict) or a.keys() != b.keys():
            return False
        return all(_equal(a[name], b[name]) for name in a)
    if isinstance(a, list | tuple):
        alike = type(a) is type(b) and len(a) == len(b)
        return alike and all(map(_equal, a, b))
    if isinstance(a, np.random.Generator):
        return _equal(a.bit_generator.state, b.bit_generator.state)
    if isinstance(a, np.random.RandomState):
        return _equal(a.get_state(legacy=False), b.get_state(legacy=False))
    if isinstance(a, float) and np.isnan(a):
        return np.isnan(b)
    return a == b


def _kept(estimator):
    """What a saved estimator is made of, in an order that means nothing.

    Scorers are made of its parameters, and splitters are those of the last search.
    """
    own = vars(estimator)
    if hasattr(estimator, "_without_times"):
        own = estimator._without_times(own)
    lost = {"_skl_callbacks", "_metadata_request", "_checked_cv_orig", "scorer_"}
    return {name: own[name] for name in sorted(own.keys() - lost)}


@pytest.fixture(scope="session")
def equal():
    return _equal
