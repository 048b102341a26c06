"""`cp -r` of the template into somebody's repository, and nothing else."""

import time
import urllib.request

import pytest
from e2e.stacks import SERVER
from template import copy_template

pytestmark = pytest.mark.engine


def test_copied_template_measures_the_repository_it_is_in(repository, free_port):
    repository.service("src/server", SERVER)
    repository.write("README.md", "# mine\n")
    repository.write(
        "docker-compose.yml",
        f"""
        services:
          api:
            build: src/server
            ports: ["127.0.0.1:{free_port}:8000"]
            stop_grace_period: 0s
        """,
    )
    copy_template(repository.root)
    repository.tool = repository.root

    answer = repository.succeed("up-coverage")
    assert "examples/shop" not in answer.stderr
    for _ in range(50):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{free_port}/").close()
            break
        except OSError:
            time.sleep(0.1)
    repository.succeed("down-coverage")
    answer = repository.succeed("coverage-report")
    assert "api" in answer.stdout
    assert repository.executed() == {"src/server/main.py": [1, 4, 8, 9, 10, 11, 12, 15]}


def test_tool_in_a_directory_of_its_own_measures_the_repository_around_it(repository):
    repository.service("worker", "import time\nprint('up')\nwhile True:\n    time.sleep(0.1)\n")
    repository.write("compose.yaml", "services:\n  worker: {build: worker, stop_grace_period: 0s}\n")
    copy_template(repository.root / "tools" / "coverage")
    repository.tool = repository.root / "tools" / "coverage"
    repository.succeed("up-coverage")
    repository.succeed("down-coverage")
    assert repository.executed() == {"worker/main.py": [1, 2, 3, 4]}
