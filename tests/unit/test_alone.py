"""What unit tests must not do fails them."""

import os
import subprocess
import sys
import time

import pytest


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (lambda: subprocess.run([sys.executable, "-V"]), f"A unit test starts {sys.executable}: "),
        (lambda: os.fork(), r"A unit test calls os\.fork: "),
        (lambda: os.system("true"), r"A unit test calls os\.system: "),
        (lambda: time.sleep(1), "A unit test sleeps for 1 s: "),
    ],
)
def test_a_process_or_a_clock_fails_a_unit_test(act, sentence):
    with pytest.raises(pytest.fail.Exception, match=sentence):
        act()


def test_there_is_no_git():
    with pytest.raises(FileNotFoundError):
        subprocess.run(["git", "status"])
