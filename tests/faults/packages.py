"""What situations need installed: packages in virtual environments of their own, and programs of Debian's."""

import shutil
import subprocess
import sys
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from machine import INTERPRETERS, ROOT

PACKAGES = {"mkfs.btrfs": "btrfs-progs"}  # Debian's, where they do not have the names of their programs
ENVIRONMENTS = ROOT / ".nox" / "faults-environments"  # .nox/faults is the environment of the nox session itself


def install_programs(names: Iterable[str]) -> None:
    """Install the Debian packages that bring programs, where these are missing.

    Raises CalledProcessError, with apt-get's own words on stderr, when one can't be had.
    """
    missing = sorted({PACKAGES.get(name, name) for name in names if shutil.which(name) is None})
    if missing:
        subprocess.run(["apt-get", "update", "-qq"], check=True)
        subprocess.run(["apt-get", "install", "-qq", "--no-install-recommends", *missing], check=True)


def make_environment(version: str, packages: tuple[str, ...]) -> Path:
    """Return a virtual environment of an interpreter with these packages. It is made once and kept.

    Raises CalledProcessError, with pip's own words on stderr, when a package can't be had.
    """
    key = sha256("\n".join((INTERPRETERS[version], *sorted(packages))).encode()).hexdigest()[:8]
    directory = ENVIRONMENTS / f"{version}-{key}"
    done = directory / "complete"
    if not done.exists():
        shutil.rmtree(directory, ignore_errors=True)
        subprocess.run([INTERPRETERS[version], "-m", "venv", "--without-pip", str(directory)], check=True)
        python = directory / "bin" / "python"
        if packages:
            pip = (
                sys.executable,
                "-m",
                "pip",
                "--quiet",
                "--quiet",
                "--disable-pip-version-check",
                # What is compiled fits one build of Python only, and two of one version share pip's own cache.
                "--cache-dir",
                str(ENVIRONMENTS / "pip" / sha256(INTERPRETERS[version].encode()).hexdigest()[:8]),
                "--python",
                str(python),
            )
            subprocess.run([*pip, "install", *packages], check=True)
            subprocess.run([python, "-m", "compileall", "-q", str(directory / "lib")])
        if any(package.startswith("coverage==") for package in packages):
            (site,) = directory.glob("lib/python*/site-packages")
            if not any(site.glob("*coverage*.pth")):  # the wheel has brought its own since 7.13
                (site / "a_coverage.pth").write_text("import coverage; coverage.process_startup()\n")
        done.touch()
    return directory
