# The recipes of coverage-spy. `coverage.just` is the part that other repositories import.

set shell := ["sh", "-euc"]

import 'coverage.just'

# List the recipes
[default]
[private]
list:
    @{{ quote(just_executable()) }} --justfile {{ quote(justfile()) }} --list

# Run the tests; those that need an engine are skipped, with the reason, where none answers
[group('template')]
[positional-arguments]
[script('sh', '-eu')]
tests *arguments:
    {{ _nox }} -s tests -- "$@"

# Check style and types: ruff, mypy, just, shellcheck, actionlint and zizmor
[group('template')]
[positional-arguments]
[script('sh', '-eu')]
lint *arguments:
    {{ _nox }} -s lint -- "$@"

# Compare speed without a spy, with it, and with coverage.py, side by side in one run
[group('template')]
[positional-arguments]
[script('sh', '-eu')]
bench *arguments:
    {{ _nox }} -s bench -- "$@"
