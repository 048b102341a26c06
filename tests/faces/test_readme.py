"""Every command of the README is executed as it stands there."""

import json
import re
import subprocess
import textwrap
import urllib.request

import pytest
from machine import ROOT, alone_with
from template import WITHOUT_UV, commands, copy_template, shell

from coverage_tasks.runtimes.compose.names import stack_name

README = (ROOT / "README.md").read_text()


TRY, TEST, PUT, STEPS = commands(README, "cd", "just", "python3")


def remove_images(project):
    """Remove the images that compose built under this project's name."""
    listed = subprocess.check_output(
        ["docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}", f"{project}-*"], text=True
    ).split()
    if listed:
        subprocess.run(["docker", "image", "rm", "-f", *listed], check=True, capture_output=True)


def test_try_it_without_an_engine(tmp_path):
    copy_template(tmp_path)
    with alone_with("shop"):
        output = shell(TRY, tmp_path, COVERAGE_SPY_RUNTIME="procfile", **WITHOUT_UV)
    header = re.search(r"^    (service .*)$", README, re.MULTILINE).group(1)
    assert header.split() == next(line for line in output.splitlines() if line.startswith("service ")).split()
    example = tmp_path / "examples" / "shop"
    for name in ("htmlcov/index.html", "coverage.json", "coverage.xml", "lcov.info", "coverage.md"):
        assert (example / name).is_file()
    files = json.loads((example / "coverage.json").read_text())["files"]
    assert {"orders/main.py", "catalog/main.py"} <= set(files)
    worker = (ROOT / "examples/shop/shipping/worker.py").read_text().splitlines()
    loop = next(number for number, line in enumerate(worker, 1) if "time.sleep" in line)
    assert loop in files["shipping/worker.py"]["executed_lines"]


def test_ci_runs_the_test_command():
    session = TEST.split()[-1]
    assert re.search(rf"python3 -m nox .*-s {session}\b", (ROOT / ".ci" / "run").read_text())


@pytest.fixture
def monorepo(tmp_path):
    """Beside a checkout of coverage-spy, a repository of one service with an end-to-end test, on port 8000."""
    copy_template(tmp_path / "coverage-spy")
    root = tmp_path / "my-monorepo"
    files = {
        "hello/main.py": """
            from http.server import BaseHTTPRequestHandler, HTTPServer


            class Hello(BaseHTTPRequestHandler):
                def do_GET(self):
                    self.send_response(200)
                    self.end_headers()
                    self.wfile.write(b"hello")

                def do_POST(self):
                    self.send_error(405)


            HTTPServer(("", 8000), Hello).serve_forever()
        """,
        "hello/Dockerfile": """
            FROM python:3.12-slim
            WORKDIR /app
            COPY main.py .
            CMD ["python", "main.py"]
        """,
        "docker-compose.yml": """
            name: readme
            services:
              hello:
                build: hello
                ports: ["127.0.0.1:8000:8000"]
                stop_grace_period: 1s
                healthcheck:
                  test: [CMD, python, -c, "import socket; socket.create_connection(('localhost', 8000))"]
                  interval: 0.5s
        """,
        "tests/e2e/test_hello.py": """
            import urllib.request

            def test_hello():
                assert urllib.request.urlopen("http://localhost:8000/").read() == b"hello"
        """,
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(textwrap.dedent(text).lstrip("\n"))
    yield root
    stack = stack_name("readme", root.resolve())
    containers = subprocess.check_output(
        ["docker", "ps", "-aq", "--filter", f"label=com.docker.compose.project={stack}"], text=True
    ).split()
    if containers:
        subprocess.run(["docker", "rm", "-f", *containers], check=True, capture_output=True)
    subprocess.run(["docker", "network", "rm", f"{stack}_default"], capture_output=True)
    remove_images("readme")


@pytest.mark.engine
def test_put_it_into_your_monorepo(monorepo):
    executed = [1, 4, 5, 6, 7, 8, 10, 14]
    shell(PUT, monorepo.parent, **WITHOUT_UV)
    report = json.loads((monorepo / "coverage.json").read_text())
    assert {name: file["executed_lines"] for name, file in report["files"].items()} == {"hello/main.py": executed}
    assert sorted(entry.name for entry in (monorepo / "hello").iterdir()) == ["Dockerfile", "main.py"]

    shell("just coverage-clean", monorepo)
    assert "hello" in shell(STEPS, monorepo)
    report = json.loads((monorepo / "coverage.json").read_text())
    assert report["files"]["hello/main.py"]["executed_lines"] == executed
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen("http://localhost:8000/")
