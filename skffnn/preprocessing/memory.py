"""Whether a network's own arrays fit into memory, before any work is done for it."""

import os
from contextlib import suppress
from pathlib import Path

from ..core.layout import Layout
from ..core.solvers import solver_of

try:
    import resource
except ImportError:  # there is none on Windows
    resource = None  # type: ignore[assignment]

# Where a container of Linux is told its limit, in either version of control groups.
CONTAINER = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
# Bytes that are there wherever NumPy is: to look for less takes longer than a step.
SMALL = 2**27


def limit():
    """Bytes of memory that this process may have at most; None if nothing tells."""
    known = []
    for path in CONTAINER:
        with suppress(OSError, ValueError):  # no such file, or it says "max"
            known.append(int(path.read_text()))
    with suppress(AttributeError, ValueError, OSError):  # no POSIX
        known.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    if resource is not None:
        for which in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
            known.append(resource.getrlimit(which)[0])
    return min((n_bytes for n_bytes in known if n_bytes > 0), default=None)


def check_memory(units, rows, itemsize, solver, tables=()):
    """Raise MemoryError if there cannot be enough for a network.

    Parameters
    ----------
    units : sequence of int
        Inputs, units of each hidden layer, outputs.
    rows : int
        Of a batch.
    itemsize : int
        Bytes of a number.
    solver : str
    tables : sequence of tuple of int, default=()
        Rows and width of each embedding table.
    """
    size, kind = Layout(units, tables).size, solver_of(solver)
    itemsize = kind.itemsize or itemsize
    # Activations, errors and scratch: see `skffnn.core.layout.Workspace`.
    needed = itemsize * (kind.n_arrays() * size + 3 * rows * sum(units))
    if needed < SMALL:
        return
    there = limit()
    if there is not None and needed > there:
        raise MemoryError(
            f"A network of {' x '.join(map(str, units))} units has {size:,} "
            f"parameters. With gradient, optimizer and work space for {rows:,} rows "
            f"its arrays take {needed / 2**30:,.1f} GiB, and there are "
            f"{there / 2**30:,.1f} GiB in all. Use fewer units or columns, a smaller "
            "batch_size, or X in float32, which halves it."
        )
