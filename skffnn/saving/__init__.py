"""An estimator in one file without pickle. It knows estimators, and no networks."""
