"""The files of docs/ci do what docs/ci.md says, with a Procfile; with containers in e2e/test_mounts.py."""

import json
import re
import shlex
import shutil
import sys
import textwrap
from xml.etree import ElementTree

import pytest
import yaml
from checkouts import commit, git, write
from faces.workflow import READ, READ_OF_FILE, Job, Steps, alpine, evaluate
from machine import ROOT
from template import WAIT_FOR, environment, run

from coverage_tasks.places import state_directory

WORKFLOW = yaml.safe_load((ROOT / "docs/ci/github-actions.yml").read_text())["jobs"]
GITLAB = yaml.safe_load((ROOT / "docs/ci/gitlab-ci.yml").read_text())
GATES = re.findall(r"^```yaml\n(.*?)^```", (ROOT / "docs/gates.md").read_text(), re.MULTILINE | re.DOTALL)
ACTION = ".github/actions/coverage-report"
WAIT_FOR_COUNT = shlex.join([*WAIT_FOR, "counter/main.py"])

# GitHub as far as the workflow uses it: the comments are in a file, and jq is jq.
GH = """
    import json, os, sys
    from pathlib import Path
    import jq
    here = Path(os.environ["STAND_IN"])
    arguments = sys.argv[1:]
    with (here / "gh.jsonl").open("a") as calls:
        print(json.dumps(arguments), file=calls)
    comments = json.loads((here / "comments.json").read_text())
    address = next(argument for argument in arguments if argument.startswith("repos/"))
    options = dict(zip(arguments, arguments[1:]))
    if "--jq" in options:
        print("\\n".join(map(str, jq.compile(options["--jq"]).input_value(comments).all())))
        sys.exit()
    name, _, file = options["--field"].partition("=@")
    assert name == "body"
    if options["--method"] == "POST":
        comments.append({"id": 1000 + len(comments), "user": {"login": "github-actions[bot]"}})
        comment = comments[-1]
    else:
        comment = next(each for each in comments if address.endswith(f"/{each['id']}"))
    comment["body"] = Path(file).read_text()
    (here / "comments.json").write_text(json.dumps(comments))
"""
PIPX = """
    import json, os, sys
    from pathlib import Path
    with (Path(os.environ["STAND_IN"]) / "pipx.jsonl").open("a") as calls:
        print(json.dumps(sys.argv[1:]), file=calls)
"""
COMMENTS = [
    {"id": 1, "user": {"login": "someone"}, "body": "<!-- coverage-spy --> quoted"},
    {"id": 2, "user": {"login": "github-actions[bot]"}, "body": "of another workflow"},
]


# All that is not executed of GitLab's file, and why. Of its variables the clone reads GIT_DEPTH, and docker DOCKER_*.
ELSEWHERE = {
    "image": "there is no Alpine here: `alpine` has the commands of the image and of its packages; bash is the shell",
    "services": "in e2e/test_mounts.py it is another engine, which sees none of the job's files, on a socket: without "
    "certificates, and without a host `docker` on which ports are published",
}
COUNTED = f"""
import os, subprocess



def test_counter():
    subprocess.run({[*WAIT_FOR, "counter/main.py"]!r}, check=True)
    assert os.environ["BASE_URL"] == "http://docker:8000"
"""


@pytest.fixture(scope="module")
def temporary(tmp_path_factory):
    """RUNNER_TEMP; the first of the runs installs nox there, and the others find it."""
    return tmp_path_factory.mktemp("temporary")


def install_into(host):
    install = ("-m", "coverage_tasks", "coverage-install", str(host))
    run(sys.executable, *install, cwd=ROOT, PYTHONPATH=str(ROOT / "scripts"))


@pytest.fixture
def github(host, temporary, tmp_path_factory):
    """Runs the workflow's steps in the repository, with stand-ins for what only GitHub has."""
    shutil.copytree(ROOT / ACTION, host / ACTION)
    runner = tmp_path_factory.mktemp("runner")
    for name, program in (("gh", GH), ("pipx", PIPX)):
        (runner / "bin").mkdir(exist_ok=True)
        (runner / "bin" / name).write_text(f"#!{sys.executable}\n{textwrap.dedent(program)}")
        (runner / "bin" / name).chmod(0o755)
    (runner / "comments.json").write_text(json.dumps(COMMENTS))
    install_into(host)
    path = f"{runner / 'bin'}:{environment()['PATH']}"
    return Steps(host, runner, PATH=path, RUNNER_TEMP=str(temporary), STAND_IN=str(runner))


def coverage(github, command, token=""):
    """Runs the first job with a test command; whether it is green, and what it hands to the second."""
    steps = [dict(step) for step in WORKFLOW["coverage"]["steps"]]
    step = next(step for step in steps if step.get("id") == "coverage")
    step["with"] = {"command": command}
    well, context = github.run(steps, {"secrets": {"CODECOV_TOKEN": token}})
    return well, context["coverage"].outputs


def comment(github, summary):
    needs = {"coverage": {"outputs": {"summary": summary}}}
    event = {"pull_request": {"number": 7, "head": {"repo": {"full_name": "someone/shop"}}}}
    known = {"needs": needs, "github": {"token": "t", "event": event}}
    assert github.run(WORKFLOW["comment"]["steps"], known)[0], github.output


def calls(github, name):
    return [json.loads(line) for line in (github.runner / f"{name}.jsonl").read_text().splitlines()]


def test_workflow_reports_and_keeps_one_comment_up_to_date(github):
    green, outputs = coverage(github, f"{WAIT_FOR_COUNT} && test -f counter/main.py", token="t")
    assert green, github.output
    assert outputs["percent"] == "88"
    assert github.summary.read_text().rstrip("\n") == outputs["summary"]
    assert "| counter |" in outputs["summary"]
    assert github.artifacts == {
        "coverage-report": ["./htmlcov", "./coverage.xml", "./lcov.info", "./coverage-data/services"]
    }
    [upload] = calls(github, "pipx")
    assert upload[upload.index("--file") :][:4] == ["--file", "coverage-data/services/counter.xml", "--flag", "counter"]

    comment(github, outputs["summary"])
    comment(github, "later")
    methods = [call[call.index("--method") + 1] for call in calls(github, "gh") if "--method" in call]
    assert methods == ["POST", "PATCH"]
    comments = json.loads((github.runner / "comments.json").read_text())
    assert comments[:2] == COMMENTS
    assert [each["body"] for each in comments[2:]] == ["<!-- coverage-spy -->\nlater\n"]


def test_failing_tests_fail_the_job_after_the_reports_were_written(github):
    green, outputs = coverage(github, f"{WAIT_FOR_COUNT}; exit 7")
    assert not green
    assert "exit code 7" in github.output
    assert outputs["percent"] == "88"
    assert "| counter |" in github.summary.read_text()
    assert "coverage-report" in github.artifacts
    assert json.loads((state_directory(github.root) / "stack.json").read_text())["ended"]
    assert "There is no secret CODECOV_TOKEN" in github.output


def test_services_that_do_not_start_end_the_job_without_running_the_tests(github):
    (github.root / "Procfile").write_text("")
    green, outputs = coverage(github, "touch ran")
    assert not green
    assert "names no process" in github.output
    assert outputs == {"percent": "", "summary": ""}
    assert not (github.root / "ran").exists()
    assert github.artifacts == {}


def test_service_that_dies_is_shown_and_keeps_nothing_from_running(github):
    (github.root / "counter" / "main.py").write_text("raise SystemExit(3)\n")
    green, _ = coverage(github, "touch ran")
    assert green
    assert "the service counter has died (exit code 3)" in github.output
    assert "counter: it ended with exit code 3" in github.summary.read_text()
    assert (github.root / "ran").exists()


def test_nothing_recorded_is_explained_and_the_tests_do_not_run_again(github):
    (github.root / "Procfile").write_text("counter: exec sleep 600\n")
    (github.root / "coverage-spy.yml").write_text("test: sh -c 'echo ran >> ran'\n")
    green, outputs = coverage(github, "")
    assert not green
    assert (github.root / "ran").read_text() == "ran\n"
    assert "Nothing was recorded" in github.output
    assert "Running session coverage-doctor" in github.output
    assert outputs["percent"] == ""
    assert github.artifacts == {}


def test_a_fork_gets_no_comment():
    event = {"pull_request": {"head": {"repo": {"full_name": "a-fork/shop"}}}}
    known = {
        "needs": {"coverage": {"outputs": {"summary": "x"}}},
        "github": {"event": event, "repository": "someone/shop"},
    }
    assert not evaluate(WORKFLOW["comment"]["if"], known)
    event["pull_request"]["head"]["repo"]["full_name"] = "someone/shop"
    assert evaluate(WORKFLOW["comment"]["if"], known)


@pytest.fixture
def gitlab(host, tmp_path_factory):
    """Makes the job of GitLab's file, for the repository; with parts of another in place of its own."""
    install_into(host)
    write(host, {"tests/e2e/test_counter.py": COUNTED})
    runner = tmp_path_factory.mktemp("runner")

    def job(parts=None):
        file = GITLAB | {"coverage": GITLAB["coverage"] | (parts or {})}
        return Job(host, runner, file, "coverage", PATH=alpine(runner, "pytest"), TMPDIR=str(runner))

    return job


def test_gitlabs_file_has_nothing_that_is_neither_executed_nor_accounted_for():
    assert GITLAB.keys() - READ_OF_FILE == {"coverage"}
    assert GITLAB["coverage"].keys() - READ == ELSEWHERE.keys()


def test_gitlabs_job_keeps_the_reports_and_shows_the_percentage(gitlab):
    job = gitlab()
    green = job.run()
    assert green, job.output
    kept = job.kept(green)
    assert all(kept.values()), kept
    assert job.coverage == json.loads((job.root / "coverage.json").read_text())["totals"]["percent_covered_display"]
    assert job.coverage == "88"
    [report] = kept["coverage-data/services/*.xml"]
    assert report.stat().st_size < 10 << 20
    assert [entry.get("filename") for entry in ElementTree.parse(report).iter("class")] == ["counter/main.py"]


def test_failing_tests_make_gitlabs_job_red_and_the_reports_are_kept(gitlab):
    job = gitlab()
    green = job.run(BASE_URL="http://elsewhere")
    assert not green
    assert "1 failed" in job.output
    assert all(job.kept(green).values())
    assert job.coverage == "88"
    assert json.loads((state_directory(job.root) / "stack.json").read_text())["ended"]


def test_a_job_is_read_as_gitlab_reads_it(tmp_path):
    file = {
        "default": {"before_script": ["first=1"], "after_script": ["echo after: ${first-none} $CI_JOB_STATUS"]},
        "variables": {"A": "file", "B": "$A of $C"},
        "fails": {"variables": {"A": "job", "C": "job"}, "script": [["echo $first $B"], "false | true", "echo no"]},
        "passes": {"script": "echo $A", "after_script": ["false"], "artifacts": {"paths": ["*.sh", "none"]}},
    }
    fails = Job(tmp_path, tmp_path, file, "fails")
    assert not fails.run(C="project")
    shown = [line for line in fails.output.splitlines() if not line.startswith("$ ")]
    assert shown == ["1 job of project", "after: none failed"]
    passes = Job(tmp_path, tmp_path, file, "passes")
    assert passes.run()
    assert passes.output == "$ first=1\n$ echo $A\nfile\n$ false\n"
    assert (passes.kept(True), passes.kept(False)) == ({"*.sh": [tmp_path / "script.sh"], "none": []}, {})


@pytest.fixture
def untested(host):
    """The repository on a branch that adds two statements to counter/main.py; the second does not run."""
    write(host, {"coverage-spy.yml": "thresholds: {patch: 90}\n", ".gitignore": "coverage-data/\n.nox/\n"})
    commit(host)
    git(host, "update-ref", "refs/remotes/origin/main", "HEAD")
    git(host, "checkout", "-q", "-b", "untested")
    main = (host / "counter" / "main.py").read_text()
    return commit(host, {"counter/main.py": f"def reset():\n    return 0\n\n\n{main}"})


PATCH = "50.00 % (1 of 2 statements changed since origin/main) executed, 90 % wanted"


def test_steps_of_the_gates_for_github_fail_and_keep_the_run(github, untested):
    write(github.root, {"tests/e2e/test_counter.py": COUNTED})
    github.environ |= {"GITHUB_SHA": untested, "BASE_URL": "http://docker:8000"}
    green, _ = github.run(yaml.safe_load(GATES[0]), {"github": {"base_ref": "main"}})
    assert not green
    assert PATCH in github.summary.read_text().replace("&#40;", "(").replace("&#41;", ")")
    assert github.artifacts == {"run": ["coverage-data/runs"]}
    assert (github.root / "coverage-data/runs" / untested).is_dir()


def test_lines_of_the_gates_for_gitlab_fail_and_keep_the_run(gitlab, untested):
    job = gitlab(yaml.safe_load(GATES[1]))
    green = job.run(CI_COMMIT_SHA=untested, CI_DEFAULT_BRANCH="main")
    assert not green
    assert PATCH in job.output
    assert job.kept(green) == {"coverage-data/runs": [job.root / "coverage-data/runs"]}
    assert (job.root / "coverage-data/runs" / untested).is_dir()
