import json

import pytest

from coverage_tasks.errors import TaskError
from coverage_tasks.project import Project
from coverage_tasks.recorded.proof import Changes, Ending, Proof, read_proof, write_proof
from coverage_tasks.runtimes.compose import proof
from coverage_tasks.runtimes.compose.plain_run import differences
from coverage_tasks.runtimes.compose.proof import difference, sort_changes


def test_mount_points_and_the_applications_own_files_are_no_deviation():
    lines = ["C /app", "A /app/data", "A /coverage", "A /coverage-spy", "C /tmp", "A /tmp/x.pyc"]
    found = sort_changes(lines, ["/coverage", "/coverage-spy", "/app/data/deep"])
    assert found.mount_points == ["/app/data", "/coverage", "/coverage-spy"]
    assert found.ours == []
    assert found.own == ["C /tmp", "A /tmp/x.pyc"]


@pytest.mark.parametrize(
    "path", ["/coverage-spy/__pycache__/a.pyc", "/tmp/coverage-spy/1.journal", "/lib/site-packages/coverage_spy.pth"]
)
def test_what_the_spy_wrote_beside_its_mounts_is_named(path):
    assert sort_changes([f"A {path}"], ["/coverage"]).ours == [path]


def test_names_that_only_begin_like_ours_are_the_applications():
    assert sort_changes(["A /coverage-spyglass/a", "A /coverages"], ["/coverage"]).ours == []


BASE = {
    "services": {
        "web": {
            "image": "shop-web",
            "user": "1000",
            "environment": {"TOKEN": "x", "PYTHONPATH": "/own:/more"},
            "volumes": [{"type": "volume", "source": "kept", "target": "/kept"}],
            "ports": [{"target": 80, "published": "8080"}, {"target": 80, "published": "8081"}],
        }
    },
    "networks": {"default": {"name": "shop_default"}},
}


def measured(**changes):
    model = json.loads(json.dumps(BASE))
    web = model["services"]["web"]
    web["environment"] |= {"COVERAGE_ENABLE": "true", "PYTHONPATH": "/coverage-spy:/own:/more"}
    web["volumes"].append({"type": "bind", "source": "/x", "target": "/coverage"})
    web["container_name"] = None
    for name, value in changes.items():
        web[name] = value
    return model


def test_keys_of_the_overlay_are_no_deviation():
    found = difference(BASE, measured())
    assert set(found) == {
        "services/web/environment/COVERAGE_ENABLE",
        "services/web/environment/PYTHONPATH",
        "services/web/volumes//coverage",
    }
    assert proof._model(found) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"user": "0"}, "changes services/web/user of the compose model from '1000' to '0'"),
        ({"cap_add": ["SYS_PTRACE"]}, "changes services/web/cap_add"),
        ({"volumes": []}, "changes services/web/volumes//kept"),
        ({"ports": [{"target": 80, "published": "8080"}]}, "changes services/web/ports"),
        ({"environment": {"TOKEN": "y", "PYTHONPATH": "/coverage-spy:/own:/more"}}, "environment/TOKEN"),
        ({"environment": {"TOKEN": "x", "PYTHONPATH": "/coverage-spy:/more"}}, "loses '/own:/more' from services/web"),
        ({"environment": {"TOKEN": "x"}}, "loses '/own:/more' from services/web/environment/PYTHONPATH"),
    ],
)
def test_anything_else_in_the_model_is_a_deviation(change, said):
    (sentence,) = proof._model(difference(BASE, measured(**change)))
    assert said in sentence


def ending(code=0, stop=0.5, health="healthy", restarts=0):
    return Ending(code, False, restarts, health, stop)


@pytest.mark.parametrize(
    ("measured", "plain", "said"),
    [
        (ending(), ending(stop=1.5), None),
        (ending(stop=None), ending(stop=None), None),
        (ending(137, 10.0), ending(0, 10.0), "the exit code of web-1 is 137 with measuring and 0 without"),
        (ending(stop=10.0), ending(), "web-1 took 10.0 s to stop with measuring and 0.5 s without"),
        (ending(health="unhealthy"), ending(), "the health of web-1 is unhealthy with measuring and healthy without"),
        (ending(restarts=2), ending(), "the number of restarts of web-1 is 2 with measuring and 0 without"),
    ],
)
def test_runs_are_compared_by_how_they_ended(measured, plain, said):
    assert differences({"web-1": measured}, {"web-1": plain}) == ([said] if said else [])


def test_container_that_only_one_run_had_is_named():
    assert differences({"web-2": ending()}, {}) == ["web-2 was there only with measuring"]


def test_a_proof_is_read_as_it_was_written(tmp_path):
    project = Project(tmp_path, "compose", ())
    project.state.mkdir(parents=True)
    with pytest.raises(TaskError, match="there is no measured run to compare with"):
        read_proof(project)
    whole = Proof(
        "shop-coverage",
        {"web-1": ending(143), "once-1": ending(stop=None)},
        {"web-1": Changes(["/coverage"], [], ["A /app/sch\udce9.py"])},
        {"services/web/user": ("null", '"0"')},
        ["a sentence"],
        derived=True,
    )
    write_proof(project, whole)
    assert read_proof(project) == whole


@pytest.mark.parametrize(
    "text",
    [
        *("{", "[]", '{"version": 1}', '{"version": 2, "endings": {"web-1": {}}}'),
        '{"version": 2, "stack": "x", "endings": {}, "changes": {"web-1": [1, 2, 3]}}',
        '{"version": 2, "stack": "x", "endings": {"web-1": {"exit_code": true, "oom_killed": false, "restarts": 0, '
        '"health": "", "stop_seconds": null}}}',
        '{"version": 2, "stack": "x", "endings": {"web-1": {"exit_code": 0, "oom_killed": false, "restarts": 0, '
        '"health": "", "stop_seconds": 1e300}}}',
        '{"version": 2, "stack": "x", "endings": {}, "model": {"a": ["only one"]}}',
        '{"version": 2, "stack": "x", "endings": {}, "unheard": 1}',
    ],
)
def test_damaged_proof_is_named(tmp_path, text):
    project = Project(tmp_path, "compose", ())
    project.state.mkdir(parents=True)
    (project.state / "proof.json").write_text(text)
    with pytest.raises(TaskError, match=r"proof.json cannot be read .* remove it"):
        read_proof(project)
