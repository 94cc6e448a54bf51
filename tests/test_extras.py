"""Optional packages: one line that says what to install."""

import pytest

from skffnn.extras import MissingExtraError, require


def test_what_is_there_is_imported():
    assert require("json", "Reading").loads("1") == 1


@pytest.mark.parametrize(
    ("extra", "install"),
    [
        ("cli", r"'skffnn\[cli\]'"),
        ("onnx", r"'skffnn\[onnx\]'"),
        (None, "nothing_here"),
    ],
)
def test_what_is_not_there_is_an_import_error_of_one_line(extra, install):
    with pytest.raises(
        MissingExtraError, match=f"^Drawing needs nothing_here: pip install {install}$"
    ):
        require("nothing_here.inside", "Drawing", extra)
    assert issubclass(MissingExtraError, ImportError)
