"""The `run:` steps of a workflow and of a composite action, executed as they stand there."""

import re
import subprocess
import uuid
from pathlib import Path
from types import SimpleNamespace

import yaml
from template import environment

STATUS = re.compile(r"\b(?:always|cancelled|failure|success)\(\)")


class Steps:
    """Runs steps in their order as a runner would; knows the few expressions that they use."""

    def __init__(self, root: Path, runner: Path, **environ: str) -> None:
        self.root = root
        self.runner = runner
        self.summary = runner / "summary.md"
        self.artifacts: dict[str, list[str]] = {}
        self.output = ""
        self.environ = environment(**environ) | {
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_REPOSITORY": "someone/shop",
        }

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
        script = self.runner / "step.sh"
        script.write_text(step["run"])
        options = ("--noprofile", "--norc", "-eo", "pipefail") if "shell" in step else ("-e",)
        cwd = self.root / filled(step.get("working-directory", "."), known)
        ended = subprocess.run(
            ["bash", *options, script],
            cwd=cwd,
            env=self.environ | {"GITHUB_OUTPUT": str(written)} | environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        self.output += ended.stdout
        return ended.returncode == 0, outputs_of(written.read_text())


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
    """The value of an expression: names with dots, comparisons, `&&` and `!cancelled()`."""
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
