"""A repository through two pull requests, with processes that run, and its unit tests beside them."""

import json
import subprocess
import sys

import pytest
from checkouts import commit, git, write
from machine import INTERPRETERS
from template import WAIT_FOR, tasks

# One that needs no payload, where there is one.
PYTHON = next((INTERPRETERS[version] for version in ("3.13", "3.12") if version in INTERPRETERS), sys.executable)

MAIN = """\
import http.server
import sys

import rates


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"%d" % (rates.price(3) if self.path == "/order" else rates.refund(3)))


if __name__ == "__main__":
    http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
RATES = """\
def price(n):
    if n < 0:
        raise ValueError(n)
    return n * 2


def refund(n):
    fee = 1
    return n - fee
"""
ORDER = f"""\
import subprocess, sys, time, urllib.request

def get(path):
    for _ in range(3000):
        try:
            return urllib.request.urlopen(f"http://127.0.0.1:{{sys.argv[1]}}{{path}}").read()
        except OSError:
            time.sleep(0.1)

def wait_for(line):
    subprocess.run([*{[*WAIT_FOR]!r}, f"orders/rates.py:{{line}}"], check=True)

assert get("/order") == b"6"
wait_for(4)
"""
REFUND = 'assert get("/refund") == b"2"\nwait_for(9)\n'
UNIT = """\
import unittest

import rates


class Test(unittest.TestCase):
    def test_price(self):
        self.assertEqual(rates.price(1), 2)
        self.assertRaises(ValueError, rates.price, -1)
"""


@pytest.fixture
def repository(tmp_path, free_port):
    root = tmp_path / "shop"
    write(
        root,
        {
            "Procfile": f"orders: exec {PYTHON} orders/main.py {free_port}\n",
            "orders/main.py": MAIN,
            "orders/rates.py": RATES,
            "orders/tests/test_rates.py": UNIT,
            "tests/e2e.py": ORDER + REFUND,
            "coverage-spy.yml": f"test: {PYTHON} tests/e2e.py {free_port}\nthresholds: {{patch: 90, unknown: 0}}\n",
            ".gitignore": "coverage-data/\n.coverage\n",
        },
    )
    git(root, "init", "-q", "-b", "main")
    commit(root)
    yield root
    tasks(root, "down-coverage")


def succeed(root, *arguments):
    answer = tasks(root, *arguments)
    assert answer.returncode == 0, answer.stderr + answer.stdout
    return answer.stdout


def measure(root):
    succeed(root, "up-coverage")
    succeed(root, "test-with-coverage")
    succeed(root, "down-coverage")
    succeed(root, "coverage-combine")


def test_pull_requests_are_held_to_what_main_reached(repository):
    measure(repository)
    succeed(repository, "coverage-save", "main")
    succeed(repository, "coverage-baseline")
    assert "failed" not in succeed(repository, "coverage-check")
    commit(repository)

    git(repository, "checkout", "-q", "-b", "without-a-test")
    commit(repository, {"tests/e2e.py": ORDER})
    measure(repository)
    check = tasks(repository, "coverage-check", "-q")
    assert check.returncode == 1
    failed = check.stdout.splitlines()
    rules = [line.split(":")[0] for line in failed]
    assert rules == ["- baseline total", "- baseline service orders", "- baseline path orders"]
    assert all(line.endswith("more is missed in orders/rates.py (2)") for line in failed)
    assert "- newly lost in orders/rates.py: lines 8-9" in succeed(repository, "coverage-compare", "main")
    succeed(repository, "coverage-report", "--before", "main")
    assert ">8-9</a>" in (repository / "htmlcov" / "portal.before.html").read_text()

    git(repository, "checkout", "-q", "-b", "untested", "main")
    commit(repository, {"orders/rates.py": RATES + "\n\ndef gift():\n    more = 1\n    return more\n"})
    measure(repository)
    check = tasks(repository, "coverage-check", "-q")
    assert check.returncode == 1
    assert check.stdout.splitlines()[0] == (
        "- patch: 33.33 % (1 of 3 statements changed since main) executed, 90 % wanted (2 more): "
        "most is missed in orders/rates.py (2)"
    )
    assert "- new and not executed in orders/rates.py: lines 13-14" in succeed(repository, "coverage-compare", "main")


def test_what_only_the_run_reaches_beside_unit_tests(repository):
    measure(repository)
    unit_tests = [sys.executable, "-m", "coverage", "run", "--branch", "--source=.", "-m", "unittest", "discover"]
    place = repository / "orders"
    subprocess.run([*unit_tests, "-s", "tests"], cwd=place, check=True, capture_output=True, env={"PYTHONPATH": "."})

    def subtract(*runs):
        found = json.loads(succeed(repository, "coverage-runs", "subtract", *runs, "--json"))
        return {path: part["lines"] for path, part in found["files"].items()}

    (only_main, only_rates) = subtract(".coverage", "orders/.coverage").values()
    assert (only_main, only_rates) == ([1, 2, 4, 7, 8, 9, 10, 11, 14, 15], [8, 9])
    assert subtract("orders/.coverage", ".coverage") == {"orders/main.py": [], "orders/rates.py": [3]}
    table = succeed(repository, "coverage-runs", "subtract", ".coverage", "orders/.coverage").splitlines()
    assert table[1].split() == ["orders", "2", "17", "16", "5", "12", "71", "%"]
