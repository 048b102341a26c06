"""Writes as workflows, into the directory that is given, what else there is for CI, so that actionlint reads it too.

It reads no steps of actions, and neither GitLab's files nor those on a page.
"""

import re
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]


def of_action(action: dict) -> dict:
    """The steps, inputs and outputs of a composite action, in a job."""
    inputs = {
        name: {"type": "string"} | {key: entry[key] for key in ("description", "default")}
        for name, entry in action["inputs"].items()
    }
    outputs = {name: entry["value"] for name, entry in action["outputs"].items()}
    return of_steps(action["runs"]["steps"], {"workflow_call": {"inputs": inputs}}, outputs=outputs)


def of_lines(job: dict) -> dict:
    """The lines of a job of GitLab's, in a step; its image has no other shell than sh."""
    return of_steps([{"shell": "sh", "run": "\n".join((*job["before_script"], *job["script"]))}])


def of_steps(steps: list[dict], on: str | dict = "push", **more: dict) -> dict:
    """A workflow of one job."""
    return {"on": on, "permissions": {}, "jobs": {"job": {"runs-on": "ubuntu-latest", "steps": steps} | more}}


def main(directory: Path) -> None:
    action = yaml.safe_load((ROOT / ".github/actions/coverage-report/action.yml").read_text())
    gitlab = yaml.safe_load((ROOT / "docs/ci/gitlab-ci.yml").read_text())
    page = (ROOT / "docs/gates.md").read_text()
    steps, parts = map(yaml.safe_load, re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL))
    gates = {"coverage": gitlab["coverage"] | parts}
    for name, found in {
        "action.yml": of_action(action),
        "gates.yml": of_steps(steps),
        "gitlab.yml": of_lines(gitlab["coverage"]),
        "gitlab-gates.yml": of_lines(gates["coverage"]),
        "gates.gitlab-ci.yml": gates,
    }.items():
        (directory / name).write_text(yaml.safe_dump(found, sort_keys=False))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
