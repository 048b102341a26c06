"""What the environment asks of the spy. A value that can't be understood is declined aloud: it becomes a refusal.

Parses on every Python from 2.7 on.
"""

import os

from .environment import DATA_FILE, ENABLE, MARK, own_variables
from .refusals import SERVICE_NAME, SWITCH, refusal

ON = ("true", "1", "yes", "on")
OFF = ("false", "0", "no", "off", "")
FALLBACK = "/tmp/coverage-spy"  # noqa: S108 - `down-coverage` copies journals from here out of the stopped container


def enabled(environ):
    """Return whether COVERAGE_ENABLE switches the spy on."""
    return environ.get(ENABLE, "").strip().lower() in ON


class Settings(object):
    """The settings in force: `directory`, `service`, `source`, `omit`, `branch`, `window`; the `refusals`.

    `own` are the variables that said so.
    """

    def __init__(self, environ):
        self.refusals = []
        self.own = own = own_variables(environ)
        self.directory, self.service = self._file(own[MARK])
        self.source = self._paths(own.get("COVERAGE_SPY_SOURCE", ""))
        self.omit = self._paths(own.get("COVERAGE_SPY_OMIT", ""))
        self.branch = self._switch("COVERAGE_BRANCH", own.get("COVERAGE_SPY_BRANCH", ""))
        self.window = own.get("COVERAGE_SPY_WINDOW", "")

    def _file(self, value):
        """Split COVERAGE_FILE=/coverage/.coverage.orders into the data directory and the service's name."""
        directory, name = os.path.split(value or DATA_FILE)
        if name.startswith(".coverage"):
            name = name[len(".coverage") :].lstrip(".")
        if not all(letter.isalnum() or letter in "._-" for letter in name):
            self.refusals.append(refusal(SERVICE_NAME, value))
            name = ""
        return os.path.abspath(directory), name

    def _switch(self, name, value):
        word = value.strip().lower()
        if word not in ON + OFF:
            self.refusals.append(refusal(SWITCH, name, value))
        return word in ON

    def _paths(self, value):
        """Split on ':' and ','. What is relative begins at the working directory, but for a leading wildcard."""
        paths = [path.strip() for path in value.replace(",", ":").split(":")]
        return [path if path.startswith("*") else os.path.abspath(path) for path in paths if path]
