"""How the pages are run as tests."""

import pytest

# Scripts, which may need what is not installed; tests/test_docs.py runs the twin.
collect_ignore_glob = ["examples/*"]


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    """Let each page write its files where they harm nobody."""
    monkeypatch.chdir(tmp_path)
