"""Fitted models elsewhere: as ONNX graphs, and as modules of PyTorch."""
