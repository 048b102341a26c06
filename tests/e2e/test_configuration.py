"""coverage-spy.yml, in containers."""

import pytest

from coverage_tasks.places import state_directory

pytestmark = pytest.mark.engine

WAIT = "import time\nprint('up')\nwhile True:\n    time.sleep(0.1)\n"


def test_left_out_is_production_and_sources_decide_a_draw(repository):
    repository.service("worker", WAIT)
    repository.service("other", WAIT)
    repository.service("left", WAIT + "# alone\n")
    services = (f"  {name}: {{build: {name}, stop_grace_period: 0s}}\n" for name in ("worker", "left"))
    repository.write("compose.yaml", "services:\n" + "".join(services))
    repository.write("coverage-spy.yml", "leave-out: [left]\nsources: {worker: {/app: worker}}\n")

    up = repository.succeed("up-coverage")
    assert "left is not measured: left out in coverage-spy.yml" in up.stderr
    repository.succeed("down-coverage")
    assert repository.executed() == {"worker/main.py": [1, 2, 3, 4]}
    overlay = (state_directory(repository.root) / "docker-compose.coverage.yml").read_text()
    assert "COVERAGE_FILE" in overlay.partition("worker:")[2]
    assert "environment" not in overlay.partition("left:")[2].partition("worker:")[0]

    repository.write("coverage-spy.yml", "sources: {worker: {/app: other}}\n")
    assert repository.executed() == {"other/main.py": [1, 2, 3, 4]}
    repository.write("coverage-spy.yml", "leave-out: [lefft]\n")
    assert repository.refuse("up-coverage") == (
        "coverage-spy: coverage-spy.yml, line 1: there is no service 'lefft': did you mean left?"
    )
