"""Endless loops, against what each CPython of this machine traces of one program."""

import json
import subprocess

import pytest
from machine import INTERPRETERS, number

from coverage_tasks.combined.painting import missing_arcs, missing_lines

PROGRAM = """\
def entered(n):  # runs
    while True:  # runs
        while 1:  # runs
            n -= 1  # runs
            if n < 3:  # runs
                return  # runs


def never():  # runs
    while True:
        print()


def conditional(n):  # runs
    while n:  # runs
        n = 0  # runs


entered(5)  # runs
conditional(1)  # runs
"""
TRACE = """
import json, sys
arcs = set()
def trace(frame, event, argument):
    last = [-frame.f_lineno]
    def local(frame, event, argument):
        if event == "line":
            arcs.add((last[0], frame.f_lineno))
            last[0] = frame.f_lineno
        return local
    return local if frame.f_code.co_filename == "program" else None
code = compile(sys.argv[1], "program", "exec")
sys.settrace(trace)
exec(code, {"__name__": "program"})
sys.settrace(None)
print(json.dumps(sorted(arcs)))
"""
RAN = {n for n, line in enumerate(PROGRAM.splitlines(), 1) if line.endswith("# runs")}


@pytest.mark.parametrize("version", [v for v in INTERPRETERS if number(v) >= (3, 8)])
def test_endless_loops_ran_when_their_body_did(version):
    answer = subprocess.run([INTERPRETERS[version], "-c", TRACE, PROGRAM], capture_output=True, text=True, check=True)
    arcs = {(start, end) for start, end in json.loads(answer.stdout)}
    lines = {end for _, end in arcs}
    source = PROGRAM.encode()
    assert lines | {*missing_lines(source, lines)} == RAN
    assert {(-1, 2), (2, 3), (3, 4)} <= arcs | {*missing_arcs(source, arcs)}


@pytest.mark.parametrize("source", [b"print 'two'\n", b"\xff", b"a\0b"])
def test_source_that_this_python_cannot_parse_is_left_as_it_is(source):
    assert not [*missing_lines(source, {1}), *missing_arcs(source, {(-1, 1)})]
