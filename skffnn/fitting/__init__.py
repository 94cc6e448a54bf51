"""One fit, or many side by side: from standardised rows to what a model consists of."""
