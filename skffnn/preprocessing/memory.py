"""Whether a network's own arrays fit into memory, before any work is done for it."""

import os
from contextlib import suppress
from pathlib import Path

from ..core.layout import Layout

try:
    import resource
except ImportError:  # there is none on Windows
    resource = None  # type: ignore[assignment]

# Which control groups of Linux this process is in, and where they stand.
OWN_GROUPS, GROUPS = Path("/proc/self/cgroup"), Path("/sys/fs/cgroup")
# Arrays as long as theta at the worst moment of a fit: itself, its gradient, what the
# optimizer remembers and works with, the best weights and better ones, and what an
# interrupt comes back to. L-BFGS has SciPy's: pairs of steps, of which it keeps ten.
ARRAYS = {"adam": 9, "sgd": 8, "lbfgs": 44}
# Bytes that are there wherever NumPy is: to look for less takes longer than a step.
SMALL = 2**27


def limit():
    """Bytes of memory that this process may have at most; None if nothing tells."""
    known = list(_limits_of_groups())
    with suppress(AttributeError, ValueError, OSError):  # no POSIX
        known.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    if resource is not None:
        for which in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
            known.append(resource.getrlimit(which)[0])
    return min((n_bytes for n_bytes in known if n_bytes > 0), default=None)


def _limits_of_groups():
    """The limits of a container, or of a job, in either version of control groups."""
    with suppress(OSError):  # there are none
        for line in OWN_GROUPS.read_text().splitlines():
            _, controllers, group = line.split(":", 2)
            if controllers not in ("", "memory"):
                continue
            name = "memory.limit_in_bytes" if controllers else "memory.max"
            root = GROUPS / controllers
            folder = root / group.strip("/")
            for each in (folder, *folder.parents):
                with suppress(OSError, ValueError):  # no such file, or it says "max"
                    yield int((each / name).read_text())


def check_memory(units, rows, itemsize, solver):
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
    """
    size = Layout(units).size
    if solver == "lbfgs":
        itemsize = 8  # SciPy's
    # Activations, errors and scratch: see `skffnn.core.layout.Workspace`.
    needed = itemsize * (ARRAYS[solver] * size + 3 * rows * sum(units))
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
