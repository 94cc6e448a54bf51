"""The network from scratch: NumPy and SciPy, nothing else.

Read it in this order: `activations`, `losses`, `layout`, `initializers`, then
`backprop` (the equations on one screen), `optimizers`, `schedules`, `stopping`,
and last `training`, the loop that joins them.

Every array may carry leading axes: a `theta` of shape (P,) is one network, one of
shape (K, P) is a stack of K networks of one architecture, trained side by side by the
same code. Products act on the last two axes.
"""
