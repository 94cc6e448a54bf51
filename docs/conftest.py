"""How the pages are run as tests."""

import pytest

# Scripts, which may need what is not installed, and what the build of the site writes.
# tests/docs/test_gallery.py runs the gallery.
collect_ignore_glob = ["*.py", "_build/*", "auto_gallery/*", "generated/*"]


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    """Let each page write its files where they harm nobody."""
    monkeypatch.chdir(tmp_path)
