"""What the engine knows of a service is what every report says of it; docs/services.md has it as a table."""

import json
import re

import pytest
from template import ROOT

pytestmark = pytest.mark.engine

LOOP = "import time\n\nwhile True:\n    time.sleep(0.1)\n"
COMPOSE = """
    x-app: &app {image: "python:3.12-slim", working_dir: /app, volumes: ["./app:/app"],
                 stop_grace_period: 1s, init: true}
    services:
      web: {<<: *app, command: [python, loop.py]}
      late: {<<: *app, command: [python, late.py]}
      job: {<<: *app, command: [python, job.py]}
      seed: {<<: *app, command: [python, job.py]}
      waits: {<<: *app, command: [python, loop.py], depends_on: {job: {condition: service_completed_successfully}}}
      after: {<<: *app, command: [python, loop.py], depends_on: [waits]}
      well: {<<: *app, command: [python, well.py]}
      sick: {<<: *app, command: [python, loop.py],
             healthcheck: {test: [CMD, no-such-probe], interval: 1s, retries: 2}}
      idle: {<<: *app, command: [sleep, "600"]}
      early: {<<: *app, command: [python, -c, "import time; time.sleep(600); import well"]}
      loops: {<<: *app, command: [python, job.py], restart: always}
"""
# Service -> the kind of its finding, what the evidence says, and whether it is a note.
FACTS = {
    "web": None,
    "late": (
        "import-error",
        r"it ended with exit code 1 \(ModuleNotFoundError: .*'nowhere'\) \d+ s after",
        False,
    ),
    "job": ("died", r"it ended with exit code 1 \d+ s after its start, before it was stopped", False),
    "seed": ("died", r"it ended with exit code 1 \d+ s after its start, before it was stopped", True),
    "waits": ("never-started", "it was never started: compose waited for job, which ended with exit code 1", False),
    "after": ("never-started", "it was never started: compose waited for waits, which was never started", False),
    "well": None,
    "sick": ("unhealthy", "it was unhealthy: its health check said .*no-such-probe", False),
    "idle": ("idle", "sleep ran there, and no Python that was seen", True),
    "early": ("still-starting", "none of its 1 process had run code of the repository when the run ended", True),
    "loops": ("restart-loop", r"it was started \d+ times", False),
}


@pytest.fixture
def stack(repository):
    for name, text in {
        "loop": LOOP,
        "late": "import time\n\ntime.sleep(6)\nimport nowhere\n",
        "job": "raise SystemExit('no database')\n",
        "well": "print('done')\n",
    }.items():
        repository.write(f"app/{name}.py", text)
    repository.write("docker-compose.yml", COMPOSE)
    repository.write("coverage-spy.yml", "may-end: [seed]\n")
    return repository


def assert_shown(text, form):
    for service, fact in FACTS.items():
        lines = [line for line in text.splitlines() if re.match(rf"(- )?{service}: ", line)]
        assert len(lines) == bool(fact), (form, service, lines)
        assert not fact or re.search(fact[1], lines[0]), (form, service, lines)


def test_every_report_says_what_became_of_each_service_and_the_code_is_the_commands(stack):
    answer = stack.tasks("coverage", "--", "sh", "-c", "sleep 8; exit 7")
    assert answer.returncode == 7
    assert re.search(r"[56] of 11 services are not ready: ", answer.stderr)
    assert "| no database" in answer.stderr
    assert "the service waits was never started: compose waited for job" in answer.stderr
    assert "the last lines of the health check of sick" in answer.stderr
    assert_shown(answer.stdout, "console")
    assert_shown((stack.root / "coverage.md").read_text().replace("\\", ""), "coverage.md")

    analysis = json.loads(stack.succeed("analyze-coverage", "-q", "--json").stdout)
    assert_shown("\n".join(analysis["findings"]), "analyze-coverage")
    unknown = {name for name, service in analysis["services"].items() if service["unknown"]}
    assert unknown == {"waits", "after", "early"}

    doctor = stack.tasks("coverage-doctor", "--json")
    assert doctor.returncode == 1
    verdicts = {verdict["service"]: verdict for verdict in json.loads(doctor.stdout)["verdicts"] if verdict["service"]}
    known = {name: fact for name, fact in FACTS.items() if fact}
    assert verdicts.keys() == known.keys()
    for name, (kind, evidence, note) in known.items():
        assert (verdicts[name]["kind"], verdicts[name]["note"]) == (kind, note)
        assert re.search(evidence, verdicts[name]["evidence"])

    portal = (stack.root / "htmlcov" / "index.html").read_text()
    for name, fact in known.items():
        assert fact[0] == "idle" or f"{name}: " in portal
    assert stack.containers() == []


def test_page_has_a_row_for_each_fact():
    page = (ROOT / "docs" / "services.md").read_text()
    kinds = set(re.findall(r"`\[([a-z-]+)\]`", page))
    assert {fact[0] for fact in FACTS.values() if fact} <= kinds
