"""uWSGI forks and starts threads in C, and all that they run is recorded ten times a second all the same."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from machine import eventually
from spy.conftest import make_spy

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="tests/requirements.txt has uWSGI for Linux only")

HOST = "{}.{}".format(*sys.version_info)
APPLICATION = """
    def greet():  # runs
        return b"hello"  # runs
    def application(environ, start_response):  # runs
        start_response("200 OK", [])  # runs
        return [greet()]  # runs
    def never():  # runs
        return b"nobody asks"
"""


@pytest.fixture
def tracing(tmp_path):
    spy = make_spy(HOST, tmp_path)
    spy.environment["COVERAGE_BRANCH"] = "true"  # by the C tracer on every version
    return spy


@pytest.mark.parametrize(
    "options",
    [
        ["--master"],
        ["--master", "--enable-threads", "--lazy-apps"],
        ["--master", "--threads", "2"],
        ["--master", "--threads", "2", "--lazy-apps"],
        ["--processes", "2", "--enable-threads"],
    ],
    ids=" ".join,
)
def test_killed_workers_of_uwsgi_lose_nothing(tracing, options, monkeypatch):
    monkeypatch.chdir(tracing.directory)  # the path of a socket may have 107 characters, and TMPDIR as many
    sources = tracing.write(app=APPLICATION)
    program = Path(sys.executable).with_name("uwsgi")
    command = [program, "--http-socket", "uwsgi.sock", "--wsgi-file", "app.py", *options]
    master = subprocess.Popen(command, env=tracing.environment, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        assert eventually(lambda: ask("uwsgi.sock") == b"hello")
        run = tracing.read(None, sources)
        assert eventually(lambda: tracing.read(None, sources).executed() >= run.marked())
    finally:
        os.killpg(master.pid, signal.SIGKILL)
        master.wait()
    assert tracing.read(None, sources).executed() == run.marked()


def ask(path):
    """The body of the answer to a request to this socket; None as long as nobody listens."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(path)
        except OSError:
            return None
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return connection.makefile("rb").read().partition(b"\r\n\r\n")[2]
