"""What the repository says a service is ready by: a port, an address or a command that is asked on this machine."""

import socket
import subprocess
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

SECONDS = 5.0  # for an answer; then it is asked again


def why_not(condition: int | str | tuple[str, ...], directory: Path, environment: Mapping[str, str]) -> str:
    """Return what a service does not do yet, as the end of a sentence; "" when it is ready.

    `condition` is a port of this machine, an address (of HTTP, or HOST:PORT), or the words of a command.
    """
    if isinstance(condition, int):
        return "" if accepts(condition) else f"does not listen on port {condition}"
    if isinstance(condition, str):
        return "" if _answers(condition) else f"does not answer at {condition}"
    code = _run(condition, directory, environment)
    return f"has `{' '.join(condition)}` end with {code}" if code else ""


def accepts(port: int, host: str = "localhost") -> bool:
    """Return whether something accepts connections to a port."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


def _answers(address: str) -> bool:
    if not address.startswith(("http://", "https://")):
        host, _, port = address.rpartition(":")
        return accepts(int(port), host.strip("[]"))
    try:
        with urlopen(address, timeout=SECONDS):  # noqa: S310 - the scheme is one of two
            return True
    except HTTPError as error:
        error.close()
        return False
    except (OSError, HTTPException):
        return False


def _run(command: tuple[str, ...], directory: Path, environment: Mapping[str, str]) -> int | str:
    try:
        return subprocess.run(
            command, cwd=directory, env=environment, capture_output=True, timeout=SECONDS, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        return f"no answer within {SECONDS:g} s"
    except OSError as error:
        return str(error.strerror)
