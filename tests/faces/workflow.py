"""The scripts of GitHub's workflows and of GitLab's jobs, executed as they stand there."""

import re
import shlex
import shutil
import subprocess
import sys
import textwrap
import uuid
from collections.abc import Mapping
from pathlib import Path
from string import Template
from types import SimpleNamespace

import yaml
from template import environment

STATUS = re.compile(r"\b(?:always|cancelled|failure|success)\(\)")
# What Job reads of a job. Of the others nothing is executed: whoever tests a file says why.
READ = {"before_script", "script", "after_script", "variables", "artifacts", "coverage"}
READ_OF_FILE = {"default", "variables"}


class Runner:
    """A repository that scripts run in, with files of its own in `runner`; `output` is the log."""

    def __init__(self, root: Path, runner: Path, **environ: str) -> None:
        self.root = root
        self.runner = runner
        self.output = ""
        self.environ = environment(**environ)

    def bash(self, script: str, *options: str, cwd: Path | None = None, environ: Mapping[str, str]) -> bool:
        """Whether a script ended well."""
        file = self.runner / "script.sh"
        file.write_text(script)
        ended = subprocess.run(
            [shutil.which("bash"), *options, file],
            cwd=cwd or self.root,
            env=self.environ | environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
        )
        self.output += ended.stdout
        return ended.returncode == 0


class Steps(Runner):
    """Runs steps in their order as GitHub's runner would; knows the few expressions that they use."""

    def __init__(self, root: Path, runner: Path, **environ: str) -> None:
        super().__init__(root, runner, **environ)
        self.summary = runner / "summary.md"
        self.artifacts: dict[str, list[str]] = {}
        self.environ |= {"GITHUB_STEP_SUMMARY": str(self.summary), "GITHUB_REPOSITORY": "someone/shop"}

    def run(self, steps: list[dict], contexts: dict) -> tuple[bool, dict]:
        """Whether none failed, and the steps' context."""
        context: dict[str, SimpleNamespace] = {}
        well = True
        for step in steps:
            known = contexts | {"steps": context}
            condition = step.get("if", "success()")
            due = evaluate(condition, known, well) and (well or bool(STATUS.search(condition)))
            passed, outputs = self._one(step, known) if due else (True, {})
            outcome = "skipped" if not due else "success" if passed else "failure"
            well = well and passed
            context[step.get("id", uuid.uuid4().hex)] = SimpleNamespace(outcome=outcome, outputs=outputs)
        return well, context

    def _one(self, step: dict, known: dict) -> tuple[bool, dict[str, str]]:
        if "run" in step:
            return self._shell(step, known)
        given = {name: filled(str(value), known) for name, value in step.get("with", {}).items()}
        if step["uses"].startswith("./"):
            action = yaml.safe_load((self.root / step["uses"] / "action.yml").read_text())
            assert given.keys() <= action["inputs"].keys()
            inputs = {name: entry["default"] for name, entry in action["inputs"].items()} | given
            well, context = self.run(action["runs"]["steps"], {"inputs": inputs})
            outputs = {name: filled(out["value"], {"steps": context}) for name, out in action["outputs"].items()}
            return well, outputs
        if "/upload-artifact@" in step["uses"]:
            paths = given["path"].split()
            self.artifacts[given["name"]] = paths
            return all((self.root / path).exists() for path in paths), {}
        return True, {}

    def _shell(self, step: dict, known: dict) -> tuple[bool, dict[str, str]]:
        assert "${{" not in step["run"], "expressions go through env"
        written = self.runner / f"output-{uuid.uuid4().hex}"
        written.touch()
        environ = {name: filled(str(value), known) for name, value in step.get("env", {}).items()}
        options = ("--noprofile", "--norc", "-eo", "pipefail") if "shell" in step else ("-e",)
        cwd = self.root / filled(step.get("working-directory", "."), known)
        well = self.bash(step["run"], *options, cwd=cwd, environ=environ | {"GITHUB_OUTPUT": str(written)})
        return well, outputs_of(written.read_text())


class Job(Runner):
    """Runs a job of a file as GitLab's runner would: one shell for before_script and script, one for after_script."""

    def __init__(self, root: Path, runner: Path, file: Mapping[str, dict], name: str, **environ: str) -> None:
        super().__init__(root, runner, **environ)
        self.job = file.get("default", {}) | file[name]
        self.variables = file.get("variables", {}) | self.job.get("variables", {})

    def run(self, **project: str) -> bool:
        """Whether the job is green; variables of the `project` count before those of the file."""
        given = {"CI": "true", "GITLAB_CI": "true", "CI_PROJECT_DIR": str(self.root)} | self.variables | project
        # A variable may name another, and `$$` is a dollar sign.
        environ = {name: Template(str(value)).safe_substitute(given) for name, value in given.items()}
        before, script, after = (flat(self.job.get(part, [])) for part in ("before_script", "script", "after_script"))
        well = self._lines([*before, *script], environ)
        self._lines(after, environ | {"CI_JOB_STATUS": "success" if well else "failed"})
        return well

    def _lines(self, lines: list[str], environ: Mapping[str, str]) -> bool:
        """Each line is in the log before what it prints."""
        script = ["set -eo pipefail", "set +o noclobber"]
        for line in lines:
            script += [f"echo {shlex.quote(f'$ {line}')}", line]
        return self.bash("\n".join(script) + "\n", environ=environ)

    @property
    def coverage(self) -> str:
        """The number of the last line of the log that the regular expression finds one in."""
        expression = re.compile(self.job["coverage"].strip("/"))
        for line in reversed(self.output.splitlines()):
            if found := expression.findall(line):
                return re.search(r"\d+(\.\d+)?", found[-1])[0]
        return ""

    def kept(self, well: bool) -> dict[str, list[Path]]:
        """The files of every path that is to be kept, and of the report, after the job ended `well` or not."""
        artifacts = self.job["artifacts"]
        if artifacts.get("when", "on_success") not in ("always", "on_success" if well else "on_failure"):
            return {}
        paths = [*artifacts["paths"], artifacts.get("reports", {}).get("coverage_report", {}).get("path")]
        return {path: sorted(self.root.glob(path)) for path in filter(None, paths)}


def flat(lines: str | list) -> list[str]:
    """A script may be a line, or lines in lists of lists."""
    return [lines] if isinstance(lines, str) else [line for part in lines for line in flat(part)]


# Renamed, so that it is a mistake to ask for what is there already or for what nobody knows.
APK = """
    import os, sys
    here = os.path.dirname(__file__)
    assert sys.argv[1:3] == ["add", "--no-cache"]
    for package in sys.argv[3:]:
        os.rename(f"{here}/../packages/{package}", f"{here}/{package}")
"""


def alpine(directory: Path, *more: str) -> str:
    """The PATH of a machine like GitLab's image of docker: few commands, and an `apk` that brings some others.

    `more` are those that whoever copies the file installs for the test command.
    """
    image = ("sh", "mktemp", "docker", "docker-compose")
    for place, names in (("bin", (*image, *more)), ("packages", ("bash", "git", "python3"))):
        (directory / place).mkdir()
        for name in names:
            if path := shutil.which(name, path=environment()["PATH"]):
                # A virtual environment's Python brings its packages along wherever it is linked from.
                (directory / place / name).symlink_to(sys._base_executable if name == "python3" else path)
    apk = directory / "bin" / "apk"
    apk.write_text(f"#!{sys.executable}\n{textwrap.dedent(APK)}")
    apk.chmod(0o755)
    return str(apk.parent)


def outputs_of(text: str) -> dict[str, str]:
    """What a step wrote to GITHUB_OUTPUT: `name=value`, or `name<<end` with lines up to the end."""
    found, lines = {}, iter(text.splitlines())
    for line in lines:
        name, several, end = line.partition("<<")
        if several:
            found[name] = "\n".join(iter(lambda end=end: next(lines), end))
        else:
            name, _, found_value = line.partition("=")
            found[name] = found_value
    return found


def evaluate(expression: str, known: dict, well: bool = True) -> object:
    """The value of an expression: names with dots, comparisons, `&&`, `!cancelled()`, or names with `||`."""
    functions = {"always()": True, "cancelled()": False, "success()": well, "failure()": not well}

    def term(word: str) -> object:
        negated, word = word.startswith("!"), word.strip().lstrip("!")
        if word.startswith("'"):
            return word.strip("'")
        value = functions[word] if word in functions else look_up(word, known)
        return not value if negated else value

    def comparison(text: str) -> object:
        sides = [term(side.strip()) for side in re.split(r"[!=]=", text)]
        if len(sides) == 1:
            return sides[0]
        return (sides[0] == sides[1]) is ("==" in text)

    body = re.sub(r"^\s*\$\{\{|\}\}\s*$", "", expression)
    if "||" in body:
        return next(filter(None, (look_up(name.strip(), known) for name in body.split("||"))), "")
    values = [comparison(part.strip()) for part in body.split("&&")]
    return values[0] if len(values) == 1 else all(values)


def look_up(path: str, known: dict) -> object:
    """A name with dots in the contexts; what is not there is empty."""
    value: object = known
    for name in path.split("."):
        value = value.get(name, "") if isinstance(value, dict) else getattr(value, name, "")
    return value


def filled(text: str, known: dict) -> str:
    """The text with the values of its expressions."""
    return re.sub(r"\$\{\{.*?\}\}", lambda match: str(evaluate(match[0], known)), text)
