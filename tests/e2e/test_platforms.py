"""Several platforms under one name, as containerd's image store keeps them."""

import subprocess

import pytest

from coverage_tasks.runtimes.compose import engine, images

pytestmark = pytest.mark.engine


def test_each_platform_of_one_name_is_read_for_itself(repository, tmp_path, monkeypatch):
    monkeypatch.setenv("COVERAGE_SPY_CACHE", str(tmp_path / "cache"))
    for architecture in ("amd64", "386"):
        repository.write(f"multi/{architecture}/only_{architecture}.py", f"NAME = '{architecture}'\n")
    repository.write("multi/Dockerfile", 'FROM scratch\nARG TARGETARCH\nCOPY $TARGETARCH /app\nCMD ["/none"]\n')
    name = f"{repository.name}-multi"
    answer = subprocess.run(
        [
            "docker",
            "buildx",
            "build",
            "--platform",
            "linux/amd64,linux/386",
            "-t",
            name,
            str(repository.root / "multi"),
        ],
        capture_output=True,
        text=True,
    )
    if answer.returncode:
        pytest.skip("this engine keeps one platform to a name")
    for architecture in ("amd64", "386"):
        found = images.inspect_image(name, f"linux/{architecture}")
        assert list(found.files) == [f"/app/only_{architecture}.py"]
    assert engine.find_image(name, "linux/arm64") is None
    contents = {images.inspect_image(name, f"linux/{architecture}").content for architecture in ("amd64", "386")}
    assert len(contents) == 2

    repository.write("docker-compose.yml", f"services:\n  web: {{image: {name}, platform: linux/386}}\n")
    assert "/app multi/386 1 of its files" in " ".join(repository.succeed("coverage-sources").stdout.split())
