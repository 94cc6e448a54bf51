"""Draw the pictures of the equations page, from the numbers of its 2-3-1 network.

Run as ``python docs/examples/equations_pictures.py docs/images``.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from skffnn.core.losses import squared_error
from skffnn.core.network import Network
from skffnn.core.optimizers import SGD
from skffnn.core.tracing import trace

STYLE = Path(__file__).parents[1] / "skffnn.mplstyle"
X = np.array([[0.2, 0.9], [0.6, 0.5], [0.9, 0.1]])
Y = np.array([[0.3], [0.6], [0.9]])
NETWORK = Network([2, 3, 1], ["logistic", "logistic"], squared_error)
LEARNING_RATE, STEPS = 0.5, 1000
# Where the neurons of each layer stand, and how large they are.
PLACES = [[(0, 1), (0, -1)], [(3, 1.8), (3, 0), (3, -1.8)], [(6, 0)]]
RADIUS = 0.5
POSITIVE, NEGATIVE, SIGNAL = "#2f7fc1", "#d9661f", "#2a9d6f"


def first_theta():
    """The weights and biases that the page begins with."""
    theta = np.empty(NETWORK.layout.size)
    W, b = NETWORK.layout.views(theta)
    W[0][...] = [[0.5, -1.0, 0.8], [-0.4, 0.6, 0.2]]
    W[1][...] = [[0.7], [-0.5], [0.9]]
    b[0][...], b[1][...] = [[0.1, 0.0, -0.2]], [[0.3]]
    return theta


# One network, told in different ways --------------------------------------------------


def network_axes(right):
    """Axes for a network, with room for what is written beside the output."""
    figure, ax = plt.subplots(figsize=(8.5, 4))
    ax.set(xlim=(-0.7, 6.6 + right), ylim=(-2.8, 2.75), aspect="equal")
    ax.axis("off")
    return figure, ax


def draw_edges(ax, labels, values=None):
    """One line for each weight: its colour is the sign, its width the size."""
    for l, layer in enumerate(labels):
        for i, row in enumerate(layer):
            for j, label in enumerate(row):
                value = None if values is None else values[l][i, j]
                # Where the edges do not cross: on the side of the larger layer.
                share = 0.76 if len(PLACES[l]) < len(PLACES[l + 1]) else 0.26
                draw_edge(ax, PLACES[l][i], PLACES[l + 1][j], label, share, value)


def draw_edge(ax, start, end, label, share, value):
    start, end = np.array(start, float), np.array(end, float)
    along = (end - start) / np.linalg.norm(end - start)
    start, end = start + RADIUS * along, end - RADIUS * along
    color, width = SIGNAL, 1.2
    if value is not None:
        color, width = POSITIVE if value >= 0 else NEGATIVE, 0.6 + 2.2 * abs(value)
    ax.plot(*zip(start, end, strict=True), color=color, linewidth=width, zorder=1)
    angle = np.degrees(np.arctan2(along[1], along[0]))
    x, y = start + share * (end - start)
    ax.text(
        x,
        y,
        label,
        rotation=angle,
        rotation_mode="anchor",
        va="bottom",
        ha="center",
        fontsize=9,
    )


def draw_neurons(ax, labels):
    """A circle for each neuron, with what is written in it."""
    for places, texts in zip(PLACES, labels, strict=True):
        for place, text in zip(places, texts, strict=True):
            ax.add_patch(plt.Circle(place, RADIUS, fill=False, color=SIGNAL, lw=1.5))
            ax.text(*place, text, ha="center", va="center", fontsize=9.5)


def write_below(ax, name, biases):
    """The number of each bias below its neuron."""
    for places, row in zip(PLACES[1:], biases, strict=True):
        for (x, y), text in zip(places, row[0], strict=True):
            ax.text(x, y - RADIUS - 0.27, f"{name}{text}", ha="center", fontsize=8)


def write_above(ax, texts):
    """A line above each layer."""
    for places, text in zip(PLACES, texts, strict=True):
        ax.text(places[0][0], 2.5, text, ha="center", va="center", fontsize=10.5)


def number(value, digits=2):
    return f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}")


def numbers(arrays, digits=2):
    return [[[number(v, digits) for v in row] for row in array] for array in arrays]


# The pictures -------------------------------------------------------------------------


def architecture(seen):
    """What is called how."""
    figure, ax = network_axes(right=0)
    names = [
        [[f"$w_{{{i}{j}}}$" for j in (1, 2, 3)] for i in (1, 2)],
        [[f"$w_{{{i}1}}$"] for i in (1, 2, 3)],
    ]
    draw_edges(ax, names)
    neuron = r"$\Sigma\,|\,f$"
    draw_neurons(ax, [["$x_1$", "$x_2$"], [neuron] * 3, [neuron]])
    write_above(ax, ["$X = a_1$", "$z_2 \\to a_2$", "$z_3 \\to \\hat{y}$"])
    for x, name in ((1.5, "$W_1, b_1$"), (4.5, "$W_2, b_2$")):
        ax.text(x, -2.4, name, ha="center", fontsize=10.5)
    return figure


def forward(seen):
    """The first row on its way through the network."""
    figure, ax = network_axes(right=2.2)
    draw_edges(ax, numbers(seen.W), seen.W)
    hidden, output = (
        [f"{number(z)}\n{number(a)}" for z, a in zip(z_l[0], a_l[0], strict=True)]
        for z_l, a_l in zip(seen.z[1:], seen.a[1:], strict=True)
    )
    draw_neurons(ax, [[f"{x:.1f}" for x in X[0]], hidden, output])
    write_below(ax, "$b=$", numbers(seen.b, 1))
    write_above(ax, ["$x$", "$z_2$ over $a_2$", "$z_3$ over $\\hat{y}$"])
    ax.text(
        6.7,
        0,
        f"$\\hat{{y}} = {seen.y_hat[0, 0]:.2f}$\n$y = {Y[0, 0]:.2f}$",
        va="center",
        fontsize=10.5,
    )
    return figure


def cost(seen):
    """Three days: what was predicted and what was true."""
    figure, ax = plt.subplots(figsize=(7.2, 2.9))
    days, y, y_hat = np.arange(1, 4), Y[:, 0], seen.y_hat[:, 0]
    ax.vlines(days, y, y_hat, color=NEGATIVE, linewidth=3, label="$\\hat{y} - y$")
    ax.plot(days, y, "o", color=POSITIVE, markersize=9, label="$y$")
    ax.plot(days, y_hat, "D", color=SIGNAL, markersize=8, label="$\\hat{y}$")
    for day, low, high, error in zip(days, y, y_hat, y_hat - y, strict=True):
        ax.text(
            day + 0.05,
            (low + high) / 2,
            f"{error:+.2f}".replace("-", "\N{MINUS SIGN}"),
            va="center",
        )
    ax.set(xlim=(0.6, 4.3), ylim=(0, 1), xticks=days, xlabel="row", ylabel="share out")
    ax.grid(axis="x", visible=False)
    ax.legend(loc="center right")
    return figure


def backward(seen):
    """The error of the first row on its way back; what each weight is to blame for."""
    figure, ax = network_axes(right=2.2)
    widths = [dW_l / abs(seen.dW[1]).max() for dW_l in seen.dW]
    draw_edges(ax, numbers(seen.dW, 4), widths)
    hidden, output = ([number(v, 4) for v in delta[0]] for delta in seen.delta[1:])
    draw_neurons(ax, [["", ""], hidden, output])
    write_below(ax, "", numbers(seen.db, 4))
    write_above(ax, ["", "$\\delta_2$", "$\\delta_3$"])
    for l in (1, 2):
        name = f"$\\partial J/\\partial W_{l}$"
        ax.text(3 * l - 1.5, -2.4, name, ha="center", fontsize=10.5)
    error = f"$\\partial J/\\partial\\hat{{y}}$\n$= {seen.dJ[0, 0]:.4f}$"
    ax.text(6.7, 0, error, va="center", fontsize=10.5)
    return figure


def learning(seen):
    """J over a thousand steps."""
    theta, costs = first_theta(), []
    optimizer, grad = SGD(theta), np.empty_like(theta)
    for _ in range(STEPS + 1):
        costs.append(NETWORK.gradient(theta, grad, X, Y).sum())
        optimizer.step(theta, grad, LEARNING_RATE)
    figure, ax = plt.subplots(figsize=(7.2, 2.9))
    ax.plot(costs, color=POSITIVE)
    ax.plot([0], costs[:1], "o", color=NEGATIVE)
    ax.annotate(f"$J = {costs[0]:.4f}$", (0, costs[0]), (60, costs[0]), va="center")
    ax.set(xlabel="step", ylabel="$J$", ylim=(0, 1.15 * costs[0]))
    return figure


PICTURES = {
    "network": architecture,
    "forward": forward,
    "cost": cost,
    "backward": backward,
    "learning": learning,
}


def draw(folder):
    seen = trace(NETWORK, first_theta(), X, Y)
    options = {"svg.hashsalt": "skffnn", "svg.fonttype": "path"}
    with plt.style.context(STYLE), plt.rc_context(options):
        for name, picture in PICTURES.items():
            figure = picture(seen)
            path = Path(folder) / f"equations-{name}.svg"
            figure.savefig(path, bbox_inches="tight", metadata={"Date": None})
            plt.close(figure)


if __name__ == "__main__":
    draw(sys.argv[1])
