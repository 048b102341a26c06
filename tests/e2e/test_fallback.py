import os

import pytest
from template import CACHE

from coverage_tasks.runtimes import stack
from coverage_tasks.runtimes.choice import find_project
from coverage_tasks.runtimes.compose import overlay

pytestmark = pytest.mark.engine


def test_journals_come_out_of_closed_data_directory(repository, monkeypatch):
    repository.service("web", "import time\nprint('up')\nwhile True:\n    time.sleep(0.1)\n", more="USER 12345")
    repository.write("docker-compose.yml", "services:\n  web: {build: web, stop_grace_period: 0s}\n")
    project = find_project(repository.root, {"COVERAGE_SPY_RUNTIME": "compose"})
    for name in [name for name in os.environ if name.startswith(("COMPOSE_", "COVERAGE_")) and name != CACHE]:
        monkeypatch.delenv(name)

    def keep_closed(project, services):
        for name in services:
            project.journals_of(name).mkdir(mode=0o755)

    monkeypatch.setattr(overlay, "open_journals", keep_closed)
    stack.up(project)
    stack.down(project)
    (journal,) = project.state.rglob("*.journal")
    assert journal.read_bytes()[:6] == b"covspy"
    assert repository.state()["services"]["web"]["fallback"]
    assert repository.executed() == {"web/main.py": [1, 2, 3, 4]}
