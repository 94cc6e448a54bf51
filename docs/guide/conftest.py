"""What the guide's examples need beyond the package itself."""

from importlib.util import find_spec

# scikit-learn has callbacks since 1.9.
collect_ignore = [] if find_spec("sklearn.callback") else ["callbacks.md"]
