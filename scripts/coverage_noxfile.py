"""The noxfile that coverage.just runs: the sessions of coverage-spy alone, whatever the host's own noxfile has."""

import sys
from pathlib import Path

import nox

sys.path.append(str(Path(__file__).resolve().parent))

import coverage_sessions

nox.needs_version = ">=2025.2.9"

coverage_sessions.mount()
