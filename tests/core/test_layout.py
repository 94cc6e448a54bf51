"""The memory: every parameter has one place, every batch is a head of one space."""

from itertools import chain, pairwise

import numpy as np
import pytest

from skffnn.core.layout import ForwardBatch, Layout, Workspace

every_shape = pytest.mark.parametrize(
    "units", [(2, 3, 1), (1, 1), (5, 2), (3, 4, 4, 2), (1, 7, 1)]
)
every_stack = pytest.mark.parametrize("stack", [(), (1,), (4,), (2, 3)])


@every_shape
@every_stack
def test_views_cover_every_parameter_exactly_once(units, stack):
    layout = Layout(units)
    theta = np.zeros((*stack, layout.size))
    W, b = layout.views(theta)
    for part in (*W, *b):
        assert np.shares_memory(part, theta)
        part += 1
    np.testing.assert_array_equal(theta, 1)


@every_shape
@every_stack
def test_shapes(units, stack):
    layout = Layout(units)
    W, b = layout.views(np.zeros((*stack, layout.size)))
    layers = list(pairwise(units))
    assert [W_l.shape for W_l in W] == [(*stack, m, n) for m, n in layers]
    assert [b_l.shape for b_l in b] == [(*stack, 1, n) for _, n in layers]


def test_each_network_of_a_stack_has_its_own_row():
    layout = Layout([2, 3, 1])
    theta = np.arange(2.0 * layout.size).reshape(2, -1)
    for k in range(2):
        for stacked, alone in zip(
            chain(*layout.views(theta)), chain(*layout.views(theta[k])), strict=True
        ):
            np.testing.assert_array_equal(stacked[k], alone)


def test_all_weights_come_before_all_biases():
    layout = Layout([2, 3, 1])
    theta = np.zeros(layout.size)
    W, _ = layout.views(theta)
    for W_l in W:
        W_l += 1
    assert layout.n_weights == 9
    np.testing.assert_array_equal(theta, [1] * 9 + [0] * 4)


@pytest.mark.parametrize("extra", [-1, 1])
def test_parameters_of_another_network_are_refused(extra):
    layout = Layout([2, 3, 1])
    with pytest.raises((AssertionError, ValueError)):
        layout.views(np.zeros(layout.size + extra))


# The work space -----------------------------------------------------------------------

NAMES = ("a", "z", "delta", "work", "h", "mask")


def arrays(batch):
    """Every array of a batch under its name, e.g. 'delta[1]'."""
    found = {"y": batch.y, "ones": batch.ones, "share": batch.share}
    for name in NAMES:
        for l, array in enumerate(getattr(batch, name) or []):
            if array is not None:
                found[f"{name}[{l}]"] = array
    return found


@every_stack
def test_a_short_batch_is_the_head_of_the_same_memory(stack):
    space = Workspace(
        Layout((2, 4, 3, 2)), 6, float, stack, dropout=True, weighted=True
    )
    full, short = arrays(space.head(6)), arrays(space.head(4))
    assert full.keys() == short.keys()
    for name, array in short.items():
        assert np.shares_memory(array, full[name]), name
        assert array.shape[-2 if name != "ones" else -1] == 4
        assert array.ravel()[0:1].ctypes.data == full[name].ctypes.data


def test_heads_are_made_once():
    space = Workspace(Layout((2, 3, 1)), 6, float)
    assert space.head(4) is space.head(4)
    assert space.head(4) is not space.head(6)


@every_stack
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shapes_and_dtypes_of_a_batch(stack, dtype):
    units = (2, 4, 3)
    space = Workspace(Layout(units), 6, dtype, stack, dropout=True, weighted=True)
    batch = space.head(5)
    assert [a.shape for a in batch.a] == [(*stack, 5, m) for m in units]
    assert [d.shape for d in batch.delta[1:]] == [(*stack, 5, m) for m in units[1:]]
    assert batch.delta[0] is None  # the inputs have no error to pass on
    assert batch.y.shape == (*stack, 5, 3)
    assert batch.share.shape == (*stack, 5, 1)
    assert {array.dtype for array in arrays(batch).values()} == {np.dtype(dtype)}


def test_arrays_do_not_overlap_except_scratch():
    space = Workspace(Layout((3, 4, 4, 2)), 6, float, dropout=True, weighted=True)
    found = arrays(space.head(6))
    distinct = {id(a): n for n, a in found.items() if not n.startswith("work")}
    kept = [found[name] for name in distinct.values()]
    for i, one in enumerate(kept):
        assert not any(np.shares_memory(one, other) for other in kept[:i])
        assert not np.shares_memory(one, found["work[1]"])


def test_the_inputs_are_the_first_activations():
    space = Workspace(Layout((2, 3, 1)), 6, float, keeps_z=(True, False), dropout=True)
    batch = space.head(4)
    assert batch.x is batch.a[0]
    assert batch.x is batch.z[0]
    assert batch.x is batch.h[0]
    batch = ForwardBatch(Layout((2, 3, 1)), (4,), float, (True, False))
    assert batch.x is batch.a[0]


def test_z_has_memory_of_its_own_where_the_activation_needs_it():
    units, keeps_z = (2, 3, 4, 1), (False, True, False)
    for batch in (
        Workspace(Layout(units), 6, float, keeps_z=keeps_z).head(5),
        ForwardBatch(Layout(units), (5,), float, keeps_z),
    ):
        apart = [z is not a for z, a in zip(batch.z, batch.a, strict=True)]
        assert apart == [False, *keeps_z]
        assert batch.z[2].shape == batch.a[2].shape
        assert not any(np.shares_memory(batch.z[2], a) for a in batch.a)


def test_without_such_activations_z_is_a():
    batch = Workspace(Layout((2, 3, 1)), 6, float).head(5)
    assert batch.z is batch.a


def test_without_dropout_a_layer_hands_on_its_activations():
    batch = Workspace(Layout((2, 3, 1)), 6, float).head(6)
    assert batch.h is batch.a
    assert batch.mask is None


def test_dropout_masks_the_hidden_layers_only():
    batch = Workspace(Layout((2, 3, 4, 1)), 6, float, dropout=True).head(6)
    assert batch.h[0] is batch.a[0]
    assert batch.h[-1] is batch.a[-1]
    assert [m is None for m in batch.mask] == [True, False, False, True]
    assert not any(
        np.shares_memory(h, a)
        for h, a in zip(batch.h[1:-1], batch.a[1:-1], strict=True)
    )


def test_without_weights_each_row_counts_for_its_share():
    space = Workspace(Layout((2, 1)), 6, float)
    assert space.head(6).share == 1 / 6
    assert space.head(4).share == 1 / 4


def test_in_a_part_of_a_batch_each_row_counts_for_its_share_of_the_whole():
    space = Workspace(Layout((2, 1)), 6, float)
    part = space.head(4, whole=10)
    assert part.share == 1 / 10
    assert part is space.head(4, whole=10)
    assert part is not space.head(4)


def test_tables_are_weights_that_no_row_is_multiplied_by():
    layout = Layout([5, 3, 1], tables=[(100, 2)])
    assert (layout.n_weights, layout.n_multiplied) == (15 + 3 + 200, 15 + 3)
