"""Loaded by root: what is below root's home is out of nobody's reach."""

import hashlib  # noqa: F401  # runs
import os  # runs

import portrait  # runs

portrait.show()  # runs
many = "".join(f"def line_{number}():\n    return {number}\n" for number in range(2000))  # runs
code = compile(many, os.path.abspath("generated.py"), "exec")  # runs


def run_many():  # runs
    names = {}  # runs
    exec(code, names)  # runs
    return sum(function() for name, function in names.items() if name.startswith("line_"))  # runs


def app(environ, start_response):  # runs
    start_response("200 OK", [("Content-Type", "text/plain")])  # runs
    if os.getuid() == 0:  # runs
        return [b"root"]  # never
    if environ["PATH_INFO"] == "/portrait":  # runs
        portrait.show()  # runs
    if environ["PATH_INFO"] == "/many":  # runs
        return [str(run_many()).encode()]  # runs
    return [f"{os.getuid()} {os.getgid()}".encode()]  # runs
