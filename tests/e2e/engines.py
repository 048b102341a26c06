"""A second Docker engine, with user namespaces and without sight of one directory; its network is its own too."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from machine import PATIENCE, eventually

RANGE = "nobody:100000:65536\nnogroup:100000:65536\n"
START = """
mount -t tmpfs hidden "$1"
mount --bind "$0/ranges" /etc/subuid
mount --bind "$0/ranges" /etc/subgid
exec dockerd --data-root "$0/data" --exec-root "$0/exec" --pidfile "$0/pid" --host "unix://$0/sock" \
    --userns-remap nobody:nogroup --shutdown-timeout 2
"""


@contextmanager
def other_engine(directory: Path, hidden: Path, image: str) -> Iterator[str]:
    """Yields its DOCKER_HOST. It has `image`, and sees an empty directory where `hidden` is."""
    if os.getuid() or not all(shutil.which(command) for command in ("dockerd", "unshare")):
        pytest.skip("only root can start a second engine, with dockerd and unshare")
    directory.mkdir(mode=0o711)
    (directory / "ranges").write_text(RANGE)
    host = f"unix://{directory}/sock"
    command = ["unshare", "--mount", "--net", "--propagation", "private", "sh", "-euc", START]
    with (directory / "log").open("wb") as log:
        engine = subprocess.Popen(
            [*command, str(directory), str(hidden)], stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        version = ["docker", "--host", host, "version"]
        eventually(lambda: engine.poll() is not None or subprocess.run(version, capture_output=True).returncode == 0)
        assert engine.poll() is None, (directory / "log").read_text()
        with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saved:
            load = ["docker", "--host", host, "load", "--quiet"]
            subprocess.run(load, stdin=saved.stdout, capture_output=True, check=True)
        yield host
    finally:
        engine.terminate()
        engine.wait(PATIENCE)
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in sorted((mount for mount in mounts if mount.startswith(f"{directory}/")), reverse=True):
            subprocess.run(["umount", mount], check=True)
        shutil.rmtree(directory)
