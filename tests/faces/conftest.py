"""A repository that coverage-spy is put into."""

import subprocess

import pytest


@pytest.fixture
def host(tmp_path):
    """A repository with a Procfile of one service, which counts to three and sleeps, and no noxfile or justfile."""
    (tmp_path / "counter").mkdir()
    (tmp_path / "counter" / "main.py").write_text(
        "import time\n\n\ndef count(n):\n    if n > 3:\n        return -1\n    return n + 1\n\n\n"
        "for n in range(3):\n    print(count(n), flush=True)\ntime.sleep(600)\n"
    )
    (tmp_path / "Procfile").write_text("counter: exec python3 counter/main.py\n")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    return tmp_path
