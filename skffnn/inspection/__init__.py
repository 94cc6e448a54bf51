"""What looks at an estimator: the verdict, pictures, the range test, the trace."""
