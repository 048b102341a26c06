# The recipes of coverage-spy are in coverage.just, which a repository with a justfile of its own imports the same way.
# Those for work on coverage-spy itself are only in its own checkout.

set shell := ["sh", "-euc"]

import 'coverage.just'
import? 'tests/chores.just'

# List the recipes
[default]
[private]
list:
    @{{ quote(just_executable()) }} --justfile {{ quote(justfile()) }} --list
