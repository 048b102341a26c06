"""What a container can't do to the host and to its neighbours, tried by one that runs as root."""

import json
from pathlib import Path

import pytest
from e2e.stacks import docker

from coverage_tasks.places import state_directory

pytestmark = pytest.mark.engine

WEB = "import time\nprint('up')\nwhile True:\n    time.sleep(0.1)\n"
EVIL = """
    import os, pathlib, subprocess, sys, time

    if len(sys.argv) > 1:
        sys.exit()
    os.chdir("/coverage")
    print(sorted(path for path in pathlib.Path("/coverage").rglob("*") if path.suffix != ".journal"), flush=True)
    for name in ("stack", "sightings", "marks", "combined", "proof"):
        pathlib.Path(f"{name}.json").write_text('{"version": 1, "runtime": "procfile", "services": {}}')
    for name in ("services", "runs", "pth", "images", "logs"):
        os.symlink("/", name)
    for name in (".sightings.json.part", ".proof.json.part", "bbbbbbbbbbbbbbbb.journal"):
        os.mkfifo(name)
    os.symlink("/dev/zero", "cccccccccccccccc.journal")
    os.makedirs("dddddddddddddddd.journal/full")
    os.makedirs("/tmp/coverage-spy")
    os.symlink("HOST/precious", ".aaaaaaaaaaaaaaaa.journal.part")
    with open("/tmp/coverage-spy/aaaaaaaaaaaaaaaa.journal", "wb") as sparse:
        sparse.truncate(3 << 30)
    as_web = ("PYTHONPATH=/coverage-spy", "COVERAGE_ENABLE=true", "COVERAGE_FILE=/coverage/.coverage.web")
    subprocess.run(["env", "-i", *as_web, sys.executable, __file__, "child"])
    print("over", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def stack(repository):
    repository.service("web", WEB)
    repository.service("evil", EVIL.replace("HOST", str(repository.root)))
    repository.write("precious", "mine")
    repository.write(
        "docker-compose.yml",
        """
        services:
          web: {build: web, stop_grace_period: 0s}
          evil: {build: evil, stop_grace_period: 0s}
        """,
    )
    return repository


@pytest.mark.parametrize("mount", ["bind", "volume"])
def test_container_reaches_its_own_journals_and_nothing_else(stack, mount):
    stack.environ["COVERAGE_SPY_MOUNT"] = mount
    wait = f"until docker logs {stack.stack}-evil-1 | grep over; do sleep 0.1; done"
    said = stack.tasks("coverage", "--", "sh", "-c", wait)
    assert "Traceback" not in said.stderr
    assert stack.containers() == []
    assert docker("volume", "ls", "--quiet", "--filter", f"name={stack.stack}") == ""
    assert (stack.root / "precious").read_text() == "mine"
    assert stack.state()["runtime"] == "compose"
    assert "2 containers ran the images as they are" in said.stderr or "evil-1 has /tmp/coverage-spy" in said.stderr

    assert (
        "'coverage-spy/aaaaaaaaaaaaaaaa.journal' in /tmp/coverage-spy of a container has 3221225472 bytes"
        in said.stderr
    )
    report = json.loads((stack.root / "coverage.json").read_text())
    assert report["files"]["web/main.py"]["missing_lines"] == []
    kept = list((state_directory(stack.root) / "journals").rglob("*"))
    assert sum(path.stat().st_size for path in kept if path.is_file() and not path.is_symlink()) < 32 << 20
    assert "evil: 1 process said to be of web, and counts for evil" in said.stderr + said.stdout

    # The next run begins with nothing of it.
    stack.succeed("up-coverage", "-q")
    stack.succeed("down-coverage", "-q")


def test_container_sees_no_state_and_no_neighbour(stack):
    stack.succeed("up-coverage")
    evil = f"{stack.stack}-evil-1"
    assert docker("logs", evil).splitlines()[0] == "[]"
    mounts = json.loads(docker("inspect", "--format", "{{json .Mounts}}", evil))
    assert {mount["Destination"]: mount["RW"] for mount in mounts} == {"/coverage": True, "/coverage-spy": False}
    assert [m["Source"] for m in mounts if m["RW"]] == [str(state_directory(stack.root) / "journals" / "evil")]
    stack.tasks("down-coverage")


# Runs wherever it is loaded from: what an image calls its Python leaves it where others might look.
@pytest.mark.parametrize("way", ["mount", "pth"])
def test_nothing_of_ours_appears_in_a_repository_that_is_mounted(repository, way):
    repository.service("web", WEB)
    mounts = "volumes: ['.:/app'], working_dir: /app/web"
    repository.write("docker-compose.yml", f"services:\n  web: {{build: web, stop_grace_period: 0s, {mounts}}}\n")
    repository.environ["COVERAGE_SPY_INJECT"] = way
    before = sorted(repository.root.rglob("*"))
    repository.succeed("up-coverage")
    inside = docker("exec", f"{repository.stack}-web-1", "find", "/app", "-mindepth", "1").split()
    assert sorted(inside) == [f"/app/{path.relative_to(repository.root)}" for path in before]
    repository.succeed("down-coverage")
    assert sorted(repository.root.rglob("*")) == before
    assert repository.executed() == {"web/main.py": [1, 2, 3, 4]}


LOADED = "import os\nos.path.isdir('/pwned') or os.makedirs('/pwned')\n"
PYTHON = """
FROM python:3.12-slim
RUN python - <<'END'
import importlib.util, marshal, os

code = compile({loaded!r}, "settings.py", "exec")
os.makedirs("/opt/evil/bin")
os.makedirs("/opt/evil/lib/python3.11/lib-dynload")
open("/opt/evil/lib/python3.11/lib-dynload/_x.cpython-311-x86_64-linux-gnu.so", "w").close()
for tag in ("311", "312", "313"):
    with open("/opt/evil/settings.cpython-%s.pyc" % tag, "wb") as file:
        file.write(importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little") + bytes(8) + marshal.dumps(code))
with open("/opt/evil/bin/python3.11", "w") as file:
    file.write("#!/bin/sh\\nmkdir -p /coverage-spy/coverage_spy/__pycache__\\n"
               "cp /opt/evil/*.pyc /coverage-spy/coverage_spy/__pycache__\\n"
               "echo 'import os' >/coverage-spy/usercustomize.py\\n")
os.chmod("/opt/evil/bin/python3.11", 0o755)
END
COPY . /app
WORKDIR /app
CMD ["python", "main.py"]
"""


@pytest.mark.parametrize("mount", ["bind", "volume"])
def test_code_of_an_image_runs_in_no_neighbour_and_not_on_the_host(repository, mount):
    repository.environ["COVERAGE_SPY_MOUNT"] = mount
    for name in ("web", "evil"):
        repository.service(name, WEB)
    repository.write("evil/Dockerfile", PYTHON.format(loaded=LOADED))
    repository.write(
        "docker-compose.yml",
        """
        services:
          web: {build: web, stop_grace_period: 0s}
          evil: {build: evil, stop_grace_period: 0s}
        """,
    )
    repository.succeed("up-coverage")
    look = ("exec", f"{repository.stack}-web-1", "sh", "-c", "ls -d /pwned; find /coverage-spy -name '*311*'; true")
    assert docker(*look) == ""
    repository.succeed("down-coverage")
    assert not Path("/pwned").exists()
    copies = [path.resolve() for path in (state_directory(repository.root) / "spy").iterdir()]
    assert len({*copies}) == 2
    assert not [path for copy in copies for path in copy.rglob("usercustomize*")]
    spy = repository.root / "coverage-spy"
    assert not [path for path in spy.rglob("*.pyc") if b"pwned" in path.read_bytes()]
