"""Every epoch of a fit in MLflow: what autolog does not see."""

from math import isfinite

import mlflow
from sklearn.datasets import make_friedman1
from sklearn.pipeline import make_pipeline

from skffnn import FFNNRegressor


class LogEpochs:
    """Log the newest row of ``history_`` after each epoch, to the run that is open."""

    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context, *, fitted_estimator):
        if context.task_name == "epoch":
            row = {name: each[-1] for name, each in fitted_estimator.history_.items()}
            known = {name: value for name, value in row.items() if isfinite(value)}
            mlflow.log_metrics(known, step=row["epoch"])


X, y = make_friedman1(n_samples=500, noise=1.0, random_state=0)
network = FFNNRegressor(16, validation_fraction=0.2, max_iter=30, random_state=0)
mlflow.sklearn.autolog(log_models=False)
with mlflow.start_run() as run:
    # A pipeline of one step: autolog knows pipelines, and no network.
    make_pipeline(network.set_callbacks(LogEpochs())).fit(X, y)

logged = mlflow.MlflowClient().get_metric_history(run.info.run_id, "validation_rmse")
print([metric.value for metric in logged] == network.history_["validation_rmse"])
