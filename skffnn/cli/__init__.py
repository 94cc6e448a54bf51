"""The command, `python -m skffnn`."""
