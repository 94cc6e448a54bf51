"""Every activation of the core is known elsewhere."""

from skffnn.core.activations import ACTIVATIONS
from skffnn.export.activations import EXPORTED


def test_no_activation_is_missing():
    assert set(EXPORTED) == set(ACTIVATIONS)
