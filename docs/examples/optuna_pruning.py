"""A search by Optuna that gives hopeless networks up after a few epochs."""

import optuna
from sklearn.datasets import make_friedman1
from sklearn.model_selection import train_test_split

from skffnn import FFNNRegressor


class Prune:
    """Report the validation error after each epoch, and end what Optuna gives up."""

    def __init__(self, trial):
        self.trial = trial

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        if context.task_name == "epoch":
            history = fitted_estimator.history_
            self.trial.report(history["validation_rmse"][-1], fitted_estimator.n_iter_)
            if self.trial.should_prune():
                raise optuna.TrialPruned


def network(**parameters):
    return FFNNRegressor(
        32, validation_fraction=0.2, max_iter=50, random_state=0, **parameters
    )


def objective(trial):
    model = network(
        learning_rate=trial.suggest_float("learning_rate", 1e-4, 0.3, log=True),
        weight_decay=trial.suggest_float("weight_decay", 1e-3, 10, log=True),
    )
    model.set_callbacks(Prune(trial)).fit(X, y)
    return model.history_["validation_rmse"][-1]


X, y = make_friedman1(n_samples=1000, noise=1.0, random_state=0)
X, X_test, y, y_test = train_test_split(X, y, random_state=0)
optuna.logging.set_verbosity(optuna.logging.WARNING)
study = optuna.create_study(
    sampler=optuna.samplers.TPESampler(seed=0),
    pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=5),
)
study.optimize(objective, n_trials=20)
pruned = [t for t in study.trials if t.state == optuna.trial.TrialState.PRUNED]
print(f"{len(pruned)} of {len(study.trials)} pruned; best: {study.best_params}")
best = network(**study.best_params).fit(X, y)
print(f"R2 on the test rows: {best.score(X_test, y_test):.2f}")
