"""Second order, for small networks: curvature, evidence, and steps that use both."""
