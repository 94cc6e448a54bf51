"""FFNNRegressor: a network that learns numbers."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from .base import GradientDescentNetwork
from .fitting.fitted import rules_for
from .preprocessing.checks import guarded
from .preprocessing.judging import JudgedMixin
from .preprocessing.parameters import lowest_target
from .preprocessing.target import NumericTarget


class FFNNRegressor(JudgedMixin, GradientDescentNetwork):
    """Feed-forward neural network regressor, written from scratch in NumPy.

    A multilayer perceptron for tables. It standardises X and y itself, so that one
    learning rate means the same on every data set; trains by gradient descent through
    backpropagation; and reports everything in the units of the target.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int, default=(64, 64, 64)
        Units of each hidden layer. A bare number is one layer; ``()`` is none, which
        makes a linear model.
    activation : str or sequence of str, default="relu"
        Activation of the hidden layers: one name, or one per layer. Any of
        "identity", "logistic", "tanh", "relu", "leaky_relu", "elu", "selu", "silu",
        "gelu", "mish".
    output_activation : str, default="identity"
        Activation of the output, from the same list. With any but "identity", y is not
        standardised and has to lie where the activation can reach.
    loss : str, default="squared_error"
        What is minimised, with e = y_hat - y, as a weighted mean over rows and a sum
        over outputs:

        - "squared_error": e^2 / 2.
        - "root_mean_squared_error": the RMSE itself, taken over each batch; its
          gradient, and with it the result, depends on ``batch_size``.
        - "absolute_error": abs(e), which learns the median.
        - "huber": squared within ``huber_delta``, absolute outside.
        - "quantile": the pinball loss, which learns the given ``quantile``.
        - "poisson": half the Poisson deviance of y >= 0, with an exponential output.
    solver : {"adam", "sgd", "lbfgs"}, default="adam"
        "lbfgs" is full batch and finds its own step lengths: learning rate, schedule,
        batch size, momentum, dropout and clipping do not apply and are ignored, and
        weight decay is a part of its objective.
    learning_rate : float, default=0.02
        Step length of "adam" and "sgd", in standardised units.
    learning_rate_schedule : str, default="cosine"
        How the rate changes over the run. "constant"; "cosine": after a short rise,
        down to 0 along half a cosine; "invscaling": by ``(t + 1) ** -power_t`` with t
        the number of steps; "adaptive": to a fifth whenever the loss has not fallen for
        ``n_iter_no_change`` epochs.
    momentum : float, default=0.995
        Momentum of "sgd"; 0 is plain gradient descent.
    nesterovs_momentum : bool, default=True
        Whether "sgd" looks one step ahead (Nesterov's momentum).
    beta_1 : float, default=0.9
        Decay rate of the first moment of "adam", the mean of the gradients.
    beta_2 : float, default=0.999
        Decay rate of its second moment, the mean of their squares.
    epsilon : float, default=1e-8
        What keeps the division of "adam" finite.
    power_t : float, default=0.5
        Exponent of the "invscaling" schedule.
    quantile : float, default=0.5
        The quantile that the "quantile" loss learns.
    huber_delta : float, default=1.35
        Where "huber" turns from squared to absolute, in robust standard deviations of
        y: its quartiles' distance over 1.349, more for far rows that X foretells. For a
        normal distribution that is the standard deviation; outliers do not enlarge it.
    weight_decay : float or "auto", default="auto"
        What weights, not biases, pay for their size. With "sgd" and "lbfgs" it is a
        penalty of ``weight_decay / 2`` times their sum of squares. With "adam", whose
        steps do not shrink with the gradient, each step multiplies them by
        ``1 - learning_rate * weight_decay`` (decoupled weight decay).
        "auto" lets the table choose: `fit` first trains networks with 0.03, 0.4 and 3
        ("sgd": 0.00015, 0.002, 0.015; "lbfgs": 1e-6, 0.001, 0.01, 0.1) on four fifths
        of the rows (of at most 30,000) and for half of the epochs (above 10,000 rows a
        quarter; "sgd" twice as many), and takes the value whose network does best on
        the rest. Then it trains on all rows. Fewer than 100 different rows get 2
        ("sgd": 0.01); "lbfgs" holds out each fifth of them in turn, and gives fewer
        than 5 rows 0.01. With fewer than 10 epochs for the choice, and in
        `partial_fit`, it is 0.1 ("sgd": 0.0005, "lbfgs": 0.01). ``weight_decay_``
        tells; a fit that goes on stays with it.
    dropout : float, default=0.0
        Probability that a hidden unit is left out of a training step.
    clip_norm : float, "auto" or None, default="auto"
        Upper limit of the norm of the gradient. "auto" is ``50 * (1 - momentum)`` for
        "sgd" with momentum, 0.25 at its default, and None otherwise.
    batch_size : int or "auto", default="auto"
        Rows per step. "auto" grows from 32 to 512 with the number of rows.
    max_iter : int or "auto", default="auto"
        Epochs; iterations of "lbfgs". "auto" is 240 up to 200 rows and falls with the
        fourth root of the number of rows above.
    tol : float, default=1e-4
        Progress is a loss lower than the best by this share of it; under a robust loss
        with targets that are far off, by this share of what the other rows can gain.
        "lbfgs" ends after three iterations without.
    n_iter_no_change : int, default=10
        Epochs without progress that end the run under a constant rate and lower it
        under the adaptive one, which ends after five drops.
    early_stopping : bool, default=False
        Whether to keep the weights of the best validation epoch. Rows are held out
        for it (``validation_fraction``, 0.1 if None) unless X_val is passed to `fit`.
        When the validation loss stops falling, the constant schedule ends the run and
        the adaptive one lowers the rate; under a decaying one it is completed.
    validation_fraction : float, default=None
        Share of the rows that are held out and whose curve is recorded. Without
        ``early_stopping`` it changes nothing else. Rows that chose the epoch are
        validation rows, never test rows: judge the model on others.
    standardize : bool or dict, default=True
        Whether to standardise X and y. With False, a learning rate means something
        else on every data set. A dict gives the statistics, for rows that come in
        pieces: "x_mean" and "x_scale", "y_mean" and "y_scale", a number for each
        column, or a Series with their names. X or y is left to the rows if it has none;
        if X has some, no column counts as one with heavy tails.
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        Which columns are categories, as in `sklearn.ensemble.\
HistGradientBoostingRegressor`: a list of names or numbers, or a mask; the others
        have to be numbers. "from_dtype" takes the columns of a DataFrame that are text
        or of the dtype "category"; None takes none. Columns with few levels become
        one-hot inputs, those with many are embedded: each level has a vector that the
        network learns. Levels that `fit` has not seen share theirs with rare ones.
    shuffle : bool, default=True
        Whether each epoch visits the rows in a new order.
    warm_start : bool, default=False
        Whether `fit` goes on from the last fit: its weights, optimizer, shuffling,
        history, the rate that the adaptive schedule has reached and the rows that are
        held out; and its standardisation, in which the weights are expressed.
    random_state : int, RandomState instance or None, default=None
        Source of the first weights, the shuffling, dropout and the held-out rows.
    verbose : bool, default=False
        Whether to print a line about ten times during training.

    Attributes
    ----------
    theta_ : ndarray of shape (n_parameters,)
        All weights, embedding tables, and then all biases, flat.
    coefs_ : list of ndarray of shape (units_[l], units_[l + 1])
        The weights W_l as read-only views of ``theta_``. They act on standardised X.
    intercepts_ : list of ndarray of shape (units_[l + 1],)
        The biases b_l, likewise.
    units_ : list of int
        Inputs, units of each hidden layer, outputs. Categories, and columns with gaps,
        may have several inputs each.
    activations_ : list of str
        The activation of each layer, the output's last.
    x_mean_ : ndarray of shape (n_numeric_features,)
        The columns of X that are numbers, all but the categories, are standardised as
        ``(X - x_mean_) / x_scale_``.
    x_scale_ : ndarray of shape (n_numeric_features,)
        What they are divided by.
    x_limit_ : ndarray of shape (n_numeric_features,)
        How far from 0 each standardised column is taken as it is; beyond, it grows like
        a logarithm. Infinite, but 4 for columns with heavy tails: either their standard
        deviation is more than 3 times what the quantiles say; then `x_mean_` is the
        median, and `x_scale_` that of the quartiles. Or some value is more than 10
        standard deviations from the mean.
    x_heavy_ : ndarray of int
        The numbers of those columns.
    is_categorical_ : ndarray of bool of shape (n_features_in_,)
        Which columns are categories.
    categories_ : dict of list
        The levels of each of them at `fit`, by its name or number.
    embeddings_ : dict of DataFrame of shape (n_levels + 2, n_components)
        The learned vector of each level, for columns with many, by name or number. The
        last rows are those of a missing category and of an unknown one.
    y_mean_ : ndarray of shape (n_outputs_,)
        The target is standardised as ``(y - y_mean_) / y_scale_``.
    y_scale_ : ndarray of shape (n_outputs_,)
        What it is divided by.
    weight_decay_ : float
        The weight decay of the fit.
    history_ : dict of list of float
        One entry per epoch: "epoch", "learning_rate" (of its last step), "loss",
        "rmse", "validation_loss" and "validation_rmse" (NaN without validation rows);
        in the target's units, RMSE averaged over outputs.
        ``pandas.DataFrame(model.history_)`` is a table of it. The training curve is
        that of the epoch's minibatches in passing; with validation rows it is
        evaluated at the end of the epoch, so that the two can be compared.
    seconds_ : list of float
        How long each of these epochs took. Neither pickles and copies nor files have
        it, so that equal fits are equal: there it is NaN.
    loss_curve_ : list of float
        ``history_["loss"]``.
    validation_loss_curve_ : list of float or None
        ``history_["validation_loss"]``, if there are validation rows.
    n_iter_ : int
        Epochs in ``history_``.
    best_iter_ : int
        The epoch, counted from 1, with the lowest validation loss (training loss
        without validation rows), as it is minimised, in standardised units.
    best_loss_ : float
        That loss, in the target's units. A fit that goes on with early stopping
        judges the weights it starts from anew, on its own validation rows.
    kept_iter_ : int
        The epoch whose weights the model has: the last one; with ``early_stopping``,
        and after a divergence, the best.
    loss_ : float
        Training loss of that epoch.
    validation_indices_ : ndarray of int or None
        The rows of X that were held out.
    n_outputs_ : int
        Columns of y.
    n_features_in_ : int
        Columns of X.
    feature_names_in_ : ndarray of str
        Their names, when X is a DataFrame with string names.

    See Also
    --------
    sklearn.neural_network.MLPRegressor : The network of scikit-learn.
    skffnn.evaluate : Train/test split, baselines and a verdict on overfitting.

    Examples
    --------
    >>> from sklearn.datasets import make_friedman1
    >>> from sklearn.model_selection import train_test_split
    >>> from skffnn import FFNNRegressor
    >>> X, y = make_friedman1(n_samples=500, random_state=0)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    >>> model = FFNNRegressor(random_state=0).fit(X_train, y_train)
    >>> model.score(X_test, y_test) > 0.9
    True

    Does it overfit? Hold out some rows and compare the curves:

    >>> model = FFNNRegressor(validation_fraction=0.2, random_state=0)
    >>> model = model.fit(X_train, y_train)
    >>> model.history_["rmse"][-1] < model.history_["validation_rmse"][-1]
    True
    """

    _target_kind = NumericTarget
    _fitted = rules_for(NumericTarget)

    def __init__(
        self,
        hidden_layer_sizes: int | Sequence[int] = (64, 64, 64),
        *,
        activation: str | Sequence[str] = "relu",
        output_activation: str = "identity",
        loss: str = "squared_error",
        solver: str = "adam",
        learning_rate: float = 0.02,
        learning_rate_schedule: str = "cosine",
        momentum: float = 0.995,
        nesterovs_momentum: bool = True,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        power_t: float = 0.5,
        quantile: float = 0.5,
        huber_delta: float = 1.35,
        weight_decay: float | str = "auto",
        dropout: float = 0.0,
        clip_norm: float | str | None = "auto",
        batch_size: int | str = "auto",
        max_iter: int | str = "auto",
        tol: float = 1e-4,
        n_iter_no_change: int = 10,
        early_stopping: bool = False,
        validation_fraction: float | None = None,
        standardize: bool | dict[str, Any] = True,
        categorical_features: Any = "from_dtype",
        shuffle: bool = True,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        verbose: bool = False,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.output_activation = output_activation
        self.loss = loss
        self.solver = solver
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.power_t = power_t
        self.quantile = quantile
        self.huber_delta = huber_delta
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.clip_norm = clip_norm
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.standardize = standardize
        self.categorical_features = categorical_features
        self.shuffle = shuffle
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def predict(self, X: Any) -> np.ndarray:
        """Predict the target.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)

        Returns
        -------
        y_hat : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            As y was at `fit`; float64.

        Raises
        ------
        NotFittedError
            Before `fit`.
        ValueError
            If X has other columns than at `fit`, or values that are not finite.

        Warns
        -----
        UserWarning
            If values of X are so large that predictions are not finite.
        """
        X = self._checked(X)
        (y_hat,) = guarded(self._predictions, X)
        return y_hat.ravel() if self._y_ndim == 1 else y_hat

    def _predictions(self, X):
        return {"predictions": self._predict(X)}

    def __sklearn_tags__(self):
        """Tell scikit-learn what this estimator takes."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.positive_only = lowest_target(self.loss) >= 0
        return tags


# What is around networks says so of their parameters: see `skffnn.preprocessing.words`.
IN_NETWORKS = dict.fromkeys(
    FFNNRegressor._get_param_names(),
    "it belongs to the networks, as in {owner}(FFNNRegressor({written}))",
)
