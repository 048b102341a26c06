"""Every test has a repository with a project name of its own, and nothing of it stays behind."""

from uuid import uuid4

import pytest
from e2e.stacks import Repository


@pytest.fixture
def repository(tmp_path):
    root = tmp_path / f"e2e{uuid4().hex[:10]}"
    root.mkdir()
    found = Repository(root)
    yield found
    found.clean_up()
