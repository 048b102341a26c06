"""The source map on real images: before anything ran, and of what ran."""

import json

import pytest
from checkouts import commit, git

pytestmark = pytest.mark.engine


def test_linked_and_single_files_are_mapped_and_measured(repository):
    repository.write("libs/shared/log.py", "def log():\n    return 1\n")
    repository.write("libs/shared/unused.py", "UNUSED = 1\n")
    repository.write("libs/auth.py", "KEY = 1\n")
    repository.write("libs/mail.py", "MAIL = 1\n")
    repository.write("web/main.py", "import key, mail, shared.log\nshared.log.log()\nimport time\ntime.sleep(1000)\n")
    repository.write("web/settings.py", "DEBUG = 1\n")
    repository.write(
        "web/Dockerfile",
        """
        FROM python:3.13-slim
        COPY web /srv/releases/1
        COPY libs/shared /opt/shared
        COPY libs/auth.py /srv/releases/1/key.py
        RUN ln -s releases/1 /srv/current && ln -s /srv/current /app && ln -s /opt/shared /srv/releases/1/shared \\
         && echo "MAIL = 2" > /srv/releases/1/mail.py && echo "DEBUG = 0" > /srv/releases/1/settings.py
        WORKDIR /app
        CMD ["python", "-u", "/app/main.py"]
        """,
    )
    repository.write(
        "docker-compose.yml",
        "services:\n  web: {build: {context: ., dockerfile: web/Dockerfile}, stop_grace_period: 0s}\n",
    )

    before = json.loads(repository.succeed("coverage-sources", "--json").stdout)
    assert not before["ran"]
    web = before["services"]["web"]
    assert web["files"] == {
        "/opt/shared/log.py": "libs/shared/log.py",
        "/opt/shared/unused.py": "libs/shared/unused.py",
        "/srv/releases/1/key.py": "libs/auth.py",
        "/srv/releases/1/main.py": "web/main.py",
    }
    assert {path: found["path"] for path, found in web["drifted"].items()} == {
        "/srv/releases/1/settings.py": "web/settings.py"
    }
    assert list(web["unmapped"]) == ["/srv/releases/1/mail.py"]
    assert web["source"] == ["/app", "/opt/shared", "/srv/current", "/srv/releases/1"]

    repository.succeed("up-coverage")
    repository.succeed("down-coverage")
    assert repository.executed() == {
        "libs/auth.py": [1],
        "libs/shared/log.py": [1, 2],
        "libs/shared/unused.py": [],
        "web/main.py": [1, 2, 3, 4],
    }
    after = repository.succeed("coverage-sources", "web").stdout
    assert "mapped: 4, of which 3 ran" in after
    assert "not mapped: /srv/releases/1/mail.py (ran): it is only in the container" in after


def test_unchanged_lines_of_edited_code_are_known(repository):
    repository.service("web", "import time\nSTARTED = 1\nif STARTED == 2:\n    print('never')\ntime.sleep(1000)\n")
    repository.write("docker-compose.yml", "services:\n  web: {build: web, stop_grace_period: 0s}\n")
    git(repository.root, "init", "-q")
    built = commit(repository.root)
    repository.succeed("coverage-overlay")
    repository.write(
        "web/main.py", "import sys\nimport time\nSTARTED = 1\nif STARTED == 2:\n    print('never')\ntime.sleep(1)\n"
    )
    before = repository.succeed("coverage-sources").stdout
    assert f"drifted: /app/main.py is web/main.py: it is as of commit {built[:10]}" in before

    repository.succeed("up-coverage")
    repository.succeed("down-coverage")
    assert repository.executed() == {"web/main.py": [2, 3, 4]}
    report = json.loads((repository.root / "coverage.json").read_text())["files"]["web/main.py"]
    assert (report["missing_lines"], report["excluded_lines"]) == ([5], [1, 6])
    assert f"web: web/main.py is as of commit {built[:10]}: 3 executed lines carried over" in (
        repository.succeed("analyze-coverage").stdout
    )
