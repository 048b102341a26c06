"""The plan of the code: who imports whom, who prints, who runs which program. docs/architecture.md has it in words."""

import ast
import re
from importlib.util import resolve_name
from typing import NamedTuple

import pytest
from machine import ROOT

from coverage_tasks.runtimes.runtime import RUNTIMES

SCRIPTS, SPY = ROOT / "scripts", ROOT / "coverage-spy"

# In the order of the data: a folder imports those before it.
ORDER = (
    *("sources", "recorded"),
    *("injection", "runtimes"),
    *("combined", "results", "runs", "gates", "reports", "answers"),
    "tasks",
)
RUNNING = {"injection", "runtimes"}
REPORTING = {"combined", "results", "runs", "gates", "reports", "answers"}
# The modules beside the folders are the ground; these stand on all of it.
ABOVE = {"__main__", "cli", "doctor"}
# What the host takes from the spy: constants of these.
SHARED = {
    f"coverage_spy.{name}" for name in ("engine", "environment", "journal", "receipt", "refusals", "scope", "settings")
} | {"coverage_spy"}

# (module, import) that breaks a rule -> why it may.
EXCEPTIONS = {
    ("runtimes.choice", "runtimes.compose.engine"): "compose is asked what its .env says, before there is a runtime",
}
PRINTERS = {
    "runtimes.waiting": "the log of a service that died is neither an answer nor progress",
}
# Module -> what it runs, and why not by another module.
RUNNERS = {
    "git": "git",
    "runtimes.compose.engine": "docker",
    "runtimes.procfile": "the services of a Procfile, ps, and their Python",
    "runtimes.stack": "the user's test command",
    "runtimes.readiness": "the user's command that tells when a service is ready",
    "injection.payload": "pip",
    "gates.patch": "diff-cover",
    "streams": "the same task again, in UTF-8",
    "results.newer_python": "the newer Python that reads the sources",
}
DOCKER = "runtimes.compose.engine"
STARTERS = {
    "subprocess": ("run", "Popen", "call", "check_", "get"),
    "os": ("system", "popen", "exec", "spawn", "posix_"),
}


class Import(NamedTuple):
    """One import: of the host's modules the names are without `coverage_tasks`."""

    by: str
    of: str
    line: int


def modules(root, package):
    """Name -> tree of every module."""
    found = {}
    for file in sorted((root / package).rglob("*.py")):
        parts = file.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return {name: (ast.parse(file.read_bytes()), file.stem == "__init__") for name, file in found.items()}


def imports_of(name, tree, is_package, known):
    """Yield the imports of a module, those in functions and for type checkers too."""
    package = name if is_package else name.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(bare(name), bare(alias.name), node.lineno)
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                yield Import(bare(name), bare(whole if whole in known else base), node.lineno)


def bare(name):
    return name.removeprefix("coverage_tasks.")


HOST = modules(SCRIPTS, "coverage_tasks")
INSIDE = modules(SPY, "coverage_spy")
KNOWN = {*HOST, *INSIDE}
OWN = {bare(name) for name in HOST}
IMPORTS = [found for name, (tree, package) in HOST.items() for found in imports_of(name, tree, package, KNOWN)]


def folder(name):
    """The folder that a module of the host is in; "" of one beside the folders, and of what is not the host's."""
    first = name.partition(".")[0]
    return first if name in OWN and first in ORDER else ""


def is_a_runtime(name):
    return any(f"{name}.".startswith(f"runtimes{module.removesuffix('.runtime')}.") for module in RUNTIMES.values())


def crosses(by, of):
    """What runs services and what reports meet in `recorded` and `sources` only."""
    return (folder(by) in RUNNING and folder(of) in REPORTING) or (folder(by) in REPORTING and folder(of) in RUNNING)


def climbs(by, of):
    """A folder imports none of those after it."""
    return bool(folder(by) and folder(of)) and ORDER.index(folder(of)) > ORDER.index(folder(by))


def leaves_the_meeting_place(by, of):
    """`recorded` imports `sources` and the ground, `sources` the ground only."""
    allowed = {"recorded": {"recorded", "sources"}, "sources": {"sources"}}.get(folder(by))
    return allowed is not None and of in OWN and (of in ABOVE or folder(of) not in {"", *allowed})


def leaves_the_ground(by, of):
    """A module beside the folders imports others beside them only."""
    return not folder(by) and by not in ABOVE and of in OWN and (of in ABOVE or bool(folder(of)))


def reaches_the_top(by, of):
    """Only `cli` and `tasks` know the tasks, and only `tasks` the doctor."""
    allowed = {"tasks": {"cli", "tasks"}, "cli": {"__main__"}, "doctor": {"tasks"}}.get(of.partition(".")[0])
    return of in OWN and allowed is not None and by.partition(".")[0] not in allowed


def parses_arguments(by, of):
    """Only `cli` and `tasks` know argparse."""
    return of == "argparse" and by != "cli" and folder(by) != "tasks"


def names_a_runtime(by, of):
    """Everything but `doctor` and `tasks` gets a runtime from `runtimes.runtime`, by its name in the record."""
    if of == "importlib":
        return by != "runtimes.runtime"
    inside = by.startswith("runtimes.compose.") and of.startswith("runtimes.compose.")
    return is_a_runtime(of) and not inside and by not in ("runtimes.runtime", "doctor") and folder(by) != "tasks"


def takes_more_than_constants(by, of):
    """The host imports modules of the spy for their constants, and no others."""
    return of.partition(".")[0] == "coverage_spy" and of not in SHARED


# A rule -> an import that it refuses.
RULES = {
    crosses: ("reports.summary", "runtimes.stack"),
    climbs: ("combined.combine", "results.results"),
    leaves_the_meeting_place: ("sources.maps", "recorded.journals"),
    leaves_the_ground: ("project", "runtimes.choice"),
    reaches_the_top: ("answers.doctor", "doctor"),
    parses_arguments: ("answers.answer", "argparse"),
    names_a_runtime: ("runtimes.stack", "runtimes.procfile"),
    takes_more_than_constants: ("injection.payload", "coverage_spy.process"),
}


def broken(rule, imports=IMPORTS):
    return [
        f"{found.by} imports {found.of} (line {found.line}). {rule.__doc__}"
        for found in imports
        if rule(found.by, found.of) and (found.by, found.of) not in EXCEPTIONS
    ]


def calls(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def starts(call):
    """Whether a call starts a program."""
    function = call.func
    return (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.attr.startswith(STARTERS.get(function.value.id, ("nothing",)))
    )


def runners_of(*programs):
    """The modules that start programs and have a command of one of these: a list or tuple that begins with its name."""
    return {
        bare(name)
        for name, (tree, _) in HOST.items()
        if any(map(starts, calls(tree))) and not programs_of(tree).isdisjoint(programs)
    }


def programs_of(tree):
    displays = (node for node in ast.walk(tree) if isinstance(node, (ast.List, ast.Tuple)) and node.elts)
    return {node.elts[0].value for node in displays if isinstance(node.elts[0], ast.Constant)}


@pytest.mark.parametrize(("rule", "refused"), RULES.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_a_rule_refuses(rule, refused):
    assert broken(rule, [Import(*refused, 1)]) == [f"{refused[0]} imports {refused[1]} (line 1). {rule.__doc__}"]


def test_every_import_is_seen():
    text = """
import argparse
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from ..recorded.stack import Stack
def function():
    from .. import runtimes, errors
    from ..runtimes import stack, procfile
    from coverage_spy import journal as words, OLDEST
"""
    found = imports_of("coverage_tasks.results.new", ast.parse(text), False, KNOWN)
    assert [import_.of for import_ in found] == [
        *("argparse", "typing", "recorded.stack", "runtimes", "errors", "runtimes.stack", "runtimes.procfile"),
        *("coverage_spy.journal", "coverage_spy"),
    ]


def test_every_folder_has_its_place():
    folders = {name.partition(".")[0] for name in OWN if "." in name}
    assert folders == set(ORDER), "a folder is new or gone: write its place into ORDER and docs/architecture.md"


def test_every_exception_is_needed():
    needed = {(found.by, found.of) for found in IMPORTS for rule in RULES if rule(found.by, found.of)}
    assert needed >= EXCEPTIONS.keys(), "take out of EXCEPTIONS what no module imports any more"


def test_what_runs_services_and_what_reports_never_import_each_other():
    assert not broken(crosses)


def test_a_folder_imports_none_after_it():
    assert not broken(climbs)


def test_recorded_and_sources_import_no_half():
    assert not broken(leaves_the_meeting_place)


def test_the_ground_imports_no_folder():
    assert not broken(leaves_the_ground)


def test_nothing_imports_the_tasks():
    assert not broken(reaches_the_top)


def test_only_tasks_parse_arguments():
    assert not broken(parses_arguments)


def test_only_tasks_print():
    printing = {
        bare(name)
        for name, (tree, _) in HOST.items()
        for call in calls(tree)
        if isinstance(call.func, ast.Name) and call.func.id == "print"
    }
    others = {name for name in printing if folder(name) != "tasks" and name != "cli"}
    assert not others - PRINTERS.keys(), f"{others - PRINTERS.keys()} call print: use `say`, an answer or an error"
    assert others >= PRINTERS.keys(), f"{PRINTERS.keys() - others} print no more: take them out of PRINTERS"


def test_a_runtime_is_imported_by_its_name_in_the_record():
    assert not broken(names_a_runtime)


def test_docker_is_run_by_one_module():
    others = runners_of("docker", "docker-compose", "podman") - {DOCKER}
    assert not others, f"{others} run docker: only {DOCKER} does, give it a function"


def test_git_is_run_by_one_module():
    assert runners_of("git") == {"git"}, "only git.py runs git: give it a function"


def test_programs_are_run_by_the_modules_that_have_a_reason():
    running = {bare(name) for name, (tree, _) in HOST.items() if any(map(starts, calls(tree)))}
    assert not running - RUNNERS.keys(), (
        f"{running - RUNNERS.keys()} start programs: say in RUNNERS which, and why there"
    )
    assert running >= RUNNERS.keys(), f"{RUNNERS.keys() - running} start no programs: take them out of RUNNERS"
    hidden = [found for found in IMPORTS if found.of in ("subprocess", "os") and is_from(found)]
    assert not hidden, f"{hidden[0].by} imports names out of {hidden[0].of}: call them as {hidden[0].of}.NAME"


def is_from(found):
    tree, _ = HOST[f"coverage_tasks.{found.by}"]
    return any(isinstance(node, ast.ImportFrom) and node.lineno == found.line for node in ast.walk(tree))


def test_the_spy_imports_nothing_of_the_host():
    inside = {**INSIDE, "sitecustomize": (ast.parse((SPY / "sitecustomize.py").read_bytes()), False)}
    found = [found for name, (tree, package) in inside.items() for found in imports_of(name, tree, package, KNOWN)]
    wrong = [f"{name} imports {of}: the spy is all that enters a container" for name, of, _ in found if of in OWN]
    assert found
    assert not wrong


def test_the_host_takes_constants_of_the_spy():
    assert not broken(takes_more_than_constants)
    for name, (tree, _) in HOST.items():
        for taken in names_taken(tree):
            assert taken.isupper(), f"{bare(name)} takes {taken} of the spy, which is no constant: share a constant"


def names_taken(tree):
    """Yield what a module takes of those of the spy: names that it imports, and attributes of modules it imports."""
    aliases = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("coverage_spy") and not node.level:
            for alias in node.names:
                if f"{node.module}.{alias.name}" in INSIDE:
                    aliases.add(alias.asname or alias.name)
                else:
                    yield alias.name
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in aliases:
            yield node.attr


def test_every_path_on_the_page_exists():
    page = (ROOT / "docs" / "architecture.md").read_text()
    named = {path.partition(":")[0] for path in re.findall(r"`([\w./-]+/[\w.-]+(?::[^`]*)?|\w+\.py)`", page)}
    host = SCRIPTS / "coverage_tasks"
    places = (ROOT, host, host / "combined", SPY, SPY / "coverage_spy")
    missing = [
        path
        for path in sorted(named)
        if not path.startswith("coverage-data") and not any((place / path).exists() for place in places)
    ]
    assert missing == []
