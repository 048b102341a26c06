"""The overlay as compose merges it, by both of its major versions; neither needs an engine for it."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from template import BIN

from coverage_tasks.project import Project
from coverage_tasks.runtimes.compose import proof
from coverage_tasks.runtimes.compose.names import own_names
from coverage_tasks.runtimes.compose.overlay import render
from coverage_tasks.sources.images import Image
from coverage_tasks.sources.services import Service

BASE = """
name: shop
services:
  web:
    image: shop-web
    container_name: shop-web
    environment: [PYTHONPATH=/own]
    volumes: ["kept:/kept", "./src:/src:ro"]
    networks: [back, shared]
    cap_drop: [ALL]
    user: "1000"
    read_only: true
    deploy: {resources: {limits: {memory: 64m}}}
  sidecar: {image: other, network_mode: "container:shop-web"}
networks:
  back: {name: shop-back}
  shared: {external: true, name: company}
volumes:
  kept: {name: shop-kept}
"""
pytestmark = pytest.mark.every_engine  # each comes with a compose of its own
COMMANDS = {"2": ["docker", "compose"], "5": [str(BIN / "docker-compose")]}


@pytest.fixture(params=COMMANDS)
def config(request, tmp_path):
    """Returns the model that this version of compose makes of some files."""
    command = COMMANDS[request.param]
    if not shutil.which(command[0]):
        pytest.skip(f"{command[0]} is not here")
    version = subprocess.run([*command, "version", "--short"], capture_output=True, text=True)
    if not version.stdout.lstrip("v").startswith(request.param):
        pytest.skip(f"{' '.join(command)} is not compose {request.param}")

    def run(*files):
        options = [part for file in files for part in ("-f", str(file))]
        answer = subprocess.run([*command, "-p", "shop-coverage", *options, "config"], capture_output=True, text=True)
        assert answer.returncode == 0, answer.stderr
        return yaml.safe_load(answer.stdout)

    (tmp_path / "compose.yml").write_text(BASE)
    return run


@pytest.mark.parametrize("kind", ["bind", "relabelled", "volume"])
def test_overlay_merges_into_what_it_means(config, tmp_path, kind):
    base = tmp_path / "compose.yml"
    plain = config(base)
    project = Project(tmp_path, "compose", (base,))
    image = Image("sha256:1", "shop-web", {}, "/app", "", (), {})
    services = [Service("web", image, python_path="/own", workdir="/app"), Service("sidecar", None, measured=False)]
    names = own_names(yaml.safe_load(BASE) | {"services": plain["services"]}, ["shop-web"])
    overlay = tmp_path / "overlay.yml"
    overlay.write_text(render(project, services, {"web": "shop-web"}, {}, names, kind))

    model = config(base, overlay)
    assert proof._model(proof.difference(plain, model)) == []
    web = model["services"]["web"]
    assert "container_name" not in web
    assert web["networks"] == {"back": {"aliases": ["shop-web"]}, "shared": None}
    assert web["environment"]["PYTHONPATH"] == "/coverage-spy:/own"
    assert model["services"]["sidecar"]["network_mode"] == "service:web"
    assert model["networks"]["back"]["name"] == "shop-coverage_back"
    assert model["networks"]["shared"]["name"] == "company"
    assert model["volumes"]["kept"]["name"] == "shop-coverage_kept"
    mounts = {mount["target"]: mount for mount in web["volumes"]}
    assert set(mounts) == {"/kept", "/src", "/coverage-spy", "/coverage"}
    assert mounts["/coverage-spy"]["read_only"]
    if kind == "volume":
        assert mounts["/coverage"]["volume"] == {"nocopy": True}
        assert model["volumes"]["coverage-spy-data-web"]["name"] == "shop-coverage_coverage-spy-data-web"
    else:
        assert Path(mounts["/coverage"]["source"]) == project.journals / "web"
        assert mounts["/coverage"]["bind"].get("selinux") == ("z" if kind == "relabelled" else None)
        # A missing directory would be made by the engine, as root's; only then can it have a label.
        assert mounts["/coverage"]["bind"].get("create_host_path", kind == "relabelled") is (kind == "relabelled")
