"""What the benchmarks share: interleaved timing, BLAS threads, tables, the page.

Each script prints its tables; with --write it also puts them into docs/benchmarks.md,
between the marks that carry its name, with the machine that they come from.
"""

import argparse
import importlib
import os
import platform
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "benchmarks.md"
THREADS = {1: "One BLAS thread", None: "As many BLAS threads as it takes"}
PACKAGES = ("numpy", "scipy", "sklearn", "pandas", "torch", "skorch")


def optional(name: str):
    """A peer's module, or None where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


@contextmanager
def blas_threads(limit: int | None) -> Iterator[None]:
    """Limit BLAS, and PyTorch with it; None is no limit."""
    torch = optional("torch")
    before = torch.get_num_threads() if torch else 1
    with threadpool_limits(limit, user_api="blas"):
        if torch:
            torch.set_num_threads(limit or before)
        try:
            yield
        finally:
            if torch:
                torch.set_num_threads(before)


@contextmanager
def quiet() -> Iterator[None]:
    """Without warnings and on one BLAS thread: one of several processes at a time."""
    with warnings.catch_warnings(), blas_threads(1):
        warnings.simplefilter("ignore")
        yield


def seconds(function: Callable[[], object]) -> float:
    """The time of one call."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def interleaved(functions: dict, rounds: int) -> dict[str, np.ndarray]:
    """Seconds of each function in each round, after a round that does not count.

    Rounds go through the functions forwards and backwards in turn: what slows the
    machine for a while slows all of them alike.
    """
    names = [name for name, function in functions.items() if function]
    times: dict[str, list[float]] = {name: [] for name in names}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in names:
            functions[name]()
        for i in range(rounds):
            for name in names if i % 2 else names[::-1]:
                times[name].append(seconds(functions[name]))
    return {name: np.array(values) for name, values in times.items()}


def ratio(times: dict[str, np.ndarray], name: str, to: str = "skffnn") -> str:
    """The median over the rounds of one time over another, or a dash."""
    if name not in times or to not in times:
        return "-"
    return f"{np.median(times[name] / times[to]):.2f}"


# For processes of their own: what one has in memory, in MiB, and its peak from now on.
MEMORY = """
def resident(name):
    with open("/proc/self/status") as file:
        rows = dict(line.split(":") for line in file)
    return int(rows[name].split()[0]) / 1024

def forget_peak():
    open("/proc/self/clear_refs", "w").write("5")

"""


def fresh(code: str, *arguments: object) -> str:
    """What a few lines print in a process of their own."""
    command = [sys.executable, "-W", "ignore", "-c", code, *map(str, arguments)]
    # As in an installation: modules are compiled once and not at every start.
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=environment
    )
    return done.stdout.strip()


# Tables -------------------------------------------------------------------------------


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table in Markdown, readable as it stands."""
    cells = [list(header), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = [
        "| " + " | ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) + " |"
        for row in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (w + 1) + ":" for w in widths) + "|")
    return "\n".join(lines)


def machine() -> str:
    """One paragraph: where and with what the figures were measured."""
    processor = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("model name", "cpu family", "model\t")):
                key, _, value = line.partition(":")
                found = value.strip()
                processor = (
                    found
                    if key.startswith("model name")
                    else f"{processor}, {key.strip()} {found}"
                )
            elif not line:
                break
    blas = next(i for i in threadpool_info() if i["user_api"] == "blas")
    versions = [f"Python {platform.python_version()}"]
    for name in PACKAGES:
        module = optional(name)
        if module:
            versions.append(f"{name} {module.__version__}")
    return (
        f"{time.strftime('%Y-%m-%d')}; {processor}; {os.cpu_count()} cores; "
        f"{platform.system()} {platform.machine()}; {', '.join(versions)}; "
        f"{blas['internal_api']} {blas['version']} ({blas['architecture']})."
    )


def write(name: str, text: str, path: Path = PAGE) -> None:
    """Put text between the marks of that name on a page."""
    page = path.read_text(encoding="utf-8")
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    path.write_text(f"{before}{begin}\n\n{text}\n\n{end}{after}", encoding="utf-8")


def parser(description: str | None) -> argparse.ArgumentParser:
    """The options that every benchmark has."""
    options = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--rounds", type=int, help="rounds of each comparison")
    options.add_argument("--write", action="store_true", help="onto the page, too")
    return options


def publish(
    name: str, tables: Sequence[str], options: argparse.Namespace, path: Path = PAGE
) -> None:
    """Print the tables; put them onto the page if that was asked for."""
    text = "\n\n".join([machine(), *tables])
    print(text)
    if options.write:
        write(name, text, path)
