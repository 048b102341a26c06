"""A repository with a compose file, the tasks run in it, and everything of it removed afterwards."""

import json
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import yaml
from template import environment

from coverage_tasks.places import state_directory
from coverage_tasks.project import TOOL
from coverage_tasks.runtimes.compose.names import stack_name

SERVER = """
    import http.server


    def unused():
        return 1


    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"hello\\n")


    http.server.HTTPServer(("", 8000), Handler).serve_forever()
"""


PROJECT = "com.docker.compose.project"


def docker(*arguments: str) -> str:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=True).stdout


def containers_of(name: str) -> list[str]:
    return docker("ps", "--all", "--quiet", "--filter", f"label={PROJECT}={name}").split()


def compose_command() -> list[str]:
    plugin = shutil.which("docker") and subprocess.run(["docker", "compose", "version"], capture_output=True)
    return ["docker", "compose"] if plugin and plugin.returncode == 0 else ["docker-compose"]


class Repository:
    """A repository with a compose file, and the tasks run in it."""

    def __init__(self, root: Path, name: str = "") -> None:
        self.root = root
        self.name = name or root.name
        self.stack = stack_name(self.name, root.resolve())
        self.tool = TOOL
        self.environ = environment()

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text).lstrip("\n"))

    def service(self, name: str, program: str, base: str = "python:3.13-slim", more: str = "") -> None:
        """Writes a directory with main.py and the Dockerfile that runs it."""
        self.write(f"{name}/main.py", program)
        self.write(
            f"{name}/Dockerfile", f'FROM {base}\nWORKDIR /app\nCOPY . .\n{more}\nCMD ["python", "-u", "main.py"]\n'
        )

    def start(self, *arguments: str, apart: bool = False, **environ: str) -> subprocess.Popen[str]:
        """Starts a task; `apart` in a process group of its own, as a shell does for a terminal's Ctrl-C."""
        return subprocess.Popen(
            [sys.executable, "-m", "coverage_tasks", *arguments],
            cwd=self.root,
            env=self.environ | {"PYTHONPATH": str(self.tool / "scripts"), "COVERAGE_SPY_RUNTIME": "compose"} | environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            process_group=0 if apart else None,
            # Ignored in what a shell starts in the background, and what that starts.
            preexec_fn=(lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)) if apart else None,
        )

    def tasks(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Runs a task and returns how it ended."""
        with self.start(*arguments, **environ) as process:
            out, err = process.communicate()
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def succeed(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        answer = self.tasks(*arguments, **environ)
        assert answer.returncode == 0, answer.stderr + answer.stdout
        return answer

    def refuse(self, *arguments: str, code: int = 1, **environ: str) -> str:
        """Runs a task that fails. Returns what it says in the end; progress and logs come before."""
        answer = self.tasks(*arguments, **environ)
        assert answer.returncode == code, answer.stderr
        assert "Traceback" not in answer.stderr
        said = [line for line in answer.stderr.splitlines() if line.startswith("coverage-spy: ")]
        return said[-1]

    def containers(self) -> list[str]:
        return containers_of(self.stack)

    def state(self) -> dict:
        return json.loads((state_directory(self.root) / "stack.json").read_text())

    def mounted(self) -> str:
        """How the overlay mounts: by volume or bind."""
        overlay = yaml.safe_load((state_directory(self.root) / "docker-compose.coverage.yml").read_text())
        (kind,) = {mount["type"] for service in overlay["services"].values() for mount in service.get("volumes", ())}
        return kind

    def proof(self) -> dict:
        return json.loads((state_directory(self.root) / "proof.json").read_text())

    def executed(self) -> dict[str, list[int]]:
        """Repository file -> executed lines, from the JSON report."""
        self.succeed("coverage-json", "-q")
        report = json.loads((self.root / "coverage.json").read_text())
        return {path: found["executed_lines"] for path, found in report["files"].items()}

    def clean_up(self) -> None:
        """Removes what is left of the project and of its stack; a question to docker costs more than a test of ours."""
        names = (self.name, self.stack)
        by_name = [option for name in names for option in ("--filter", f"reference={name}-*")]
        labelled = [("image", "ls", "--quiet", "--filter", f"label={PROJECT}={name}") for name in names]
        for kind, found in (
            ("container", self._left("container", "{{.ID}}", "--all")),
            ("network", self._left("network", "{{.ID}}")),
            ("volume", self._left("volume", "{{.Name}}")),
            # By name, which may be one of several of an image that others need.
            ("image", docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", *by_name).split()),
            # Newest first, as they are listed: an image stays while there is one derived from it.
            ("image", [image for listed in labelled for image in docker(*listed).split()]),
        ):
            if found:
                subprocess.run(["docker", kind, "rm", "--force", *dict.fromkeys(found)], capture_output=True)

    def _left(self, kind: str, name: str, *options: str) -> list[str]:
        listed = docker(kind, "ls", *options, "--format", f'{name} {{{{.Label "{PROJECT}"}}}}').splitlines()
        return [
            found
            for found, _, project in (line.partition(" ") for line in listed)
            if project in (self.name, self.stack)
        ]
