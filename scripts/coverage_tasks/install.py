"""Putting coverage-spy into a repository and bringing it up to date there; what is the user's stays as it is."""

import hashlib
import json
import os
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .errors import TaskError
from .files import ANYWHERE, MOST, read_file, read_json, read_text
from .git import ask
from .project import TOOL

INSTALLED = ("noxfile.py", "justfile", "coverage.just", "coverage-spy", "scripts")
# A repository may have its own, and do without ours.
FACES = ("noxfile.py", "justfile")
STAMP = "coverage-spy/installed.json"
STAMP_VERSION = 1

# What tasks leave in the root of a repository, as .gitignore and .dockerignore have it.
LEFT = (".coverage", ".nox", "coverage-data", "coverage.json", "coverage.md", "coverage.xml", "htmlcov", "lcov.info")

# What use leaves in these directories.
_GENERATED = frozenset({"__pycache__", "payload", ".nox", Path(STAMP).name})
_NO_FILE = "something else than a file"

Fate = Literal[
    "added",
    "updated",
    "restored",
    "removed",
    "unchanged",
    "kept",
    "left out",
    "yours",
    "gone",
    "in the way",
    "conflict",
]


@dataclass(frozen=True)
class Plan:
    """What an installation does to each file, by its path below `target`, and the digests its stamp will hold."""

    source: Path
    root: Path
    target: Path
    template: str
    fates: Mapping[str, Fate]
    digests: Mapping[str, str]

    def having(self, *fates: Fate) -> list[str]:
        """Return the files with one of these fates."""
        return [name for name, fate in self.fates.items() if fate in fates]

    @property
    def written(self) -> list[str]:
        """The files that are written."""
        return self.having("added", "updated", "restored")

    @property
    def place(self) -> str:
        """What stands before the name of a file of coverage-spy, seen from the repository's root."""
        return "" if self.target == self.root else f"{self.target.relative_to(self.root).as_posix()}/"


def fate_of(name: str, new: str | None, recorded: str | None, found: str | None) -> Fate:
    """Return what becomes of a file, by three digests: ours, ours of the last installation, and that of what is there.

    None means that there is no such file. A change of the user's is never lost. A file that the user deleted comes
    back, since nothing works without it, except for a noxfile or justfile.
    """
    if new is None:
        return "removed" if found == recorded else "kept" if found else "gone"
    if found == new:
        return "unchanged"
    if found is None:
        return "added" if recorded is None else "left out" if name in FACES else "restored"
    if found == recorded:
        return "updated"
    if name in FACES:
        return "yours"
    return "kept" if recorded == new else "conflict" if recorded else "in the way"


def make_plan(destination: Path, prefix: str = "", keep: Collection[str] = (), source: Path = TOOL) -> Plan:
    """Compare the template `source` with what is in `destination / prefix`, and write nothing.

    `keep` are files that stay the user's although both sides changed them. Raise TaskError when nothing can be
    installed there, or from here.
    """
    if not (source / "copier.yml").is_file():
        raise TaskError(f"{source} is an installed copy: run coverage-install in a checkout of coverage-spy")
    root, target = _places(destination, prefix, source)
    ours = {name: _digest(source / name) or "" for name in _files(source)}
    recorded = _read_stamp(root, target)
    fates = {name: _fate(root, target, name, ours.get(name), recorded.get(name)) for name in sorted({*ours, *recorded})}
    for name in keep:
        if fates.get(name) != "conflict":
            raise TaskError(f"--keep names {name}, which is not among the files that both sides changed: leave it out")
        fates[name] = "kept"
    known = {name: recorded.get(name) if fates[name] in ("left out", "yours") else ours[name] for name in ours}
    digests = {name: digest for name, digest in known.items() if digest}
    plan = Plan(source, root, target, _describe(source), fates, digests)
    _require_writable(plan)
    return plan


def refusals(plan: Plan) -> list[str]:
    """Return why nothing is written, in sentences; none when everything can be."""
    sentences = []
    if foreign := plan.having("in the way"):
        sentences.append(
            f"nothing was installed, because other files are in the way in {plan.target}: {', '.join(foreign)}; "
            f"`diff -r {plan.target} {plan.source}` shows the difference: move them, or choose another --prefix"
        )
    if changed := plan.having("conflict"):
        name = changed[0]
        sentences.append(
            f"nothing was installed, because both you and coverage-spy changed in {plan.target}: {', '.join(changed)}; "
            f"`diff {plan.target / name} {plan.source / name}` shows the difference: take over what you want of it, "
            f"then say --keep {name}"
        )
    return sentences


def carry_out(plan: Plan) -> None:
    """Do what the plan says, each file written beside and then renamed, the stamp at last: it can be repeated.

    Raise TaskError when a file cannot be written.
    """
    for name in plan.written:
        _write(plan.target / name, (plan.source / name).read_bytes())
    for name in plan.having("removed"):
        _remove(plan.target / name, plan.target)
    stamp = {"version": STAMP_VERSION, "template": plan.template, "files": dict(plan.digests)}
    _write(plan.target / STAMP, (json.dumps(stamp, indent=1) + "\n").encode())


def mounts(plan: Plan) -> dict[str, str]:
    """Return the lines that mount coverage-spy, by the root's noxfile and justfile that are not ours and lack them.

    just lets nothing be defined twice, so a justfile with a recipe or an alias of one of our names gets a module.
    """
    lines = {}
    if (plan.place or plan.fates["noxfile.py"] == "yours") and "coverage_sessions" not in _text(plan.root / FACES[0]):
        lines["noxfile.py"] = (
            f'import sys\nsys.path.append("{plan.place}scripts")\nimport coverage_sessions\ncoverage_sessions.mount()\n'
        )
    justfile = _justfile(plan.root) or plan.root / "justfile"
    own = _text(justfile)
    if (plan.place or plan.fates["justfile"] == "yours") and "coverage.just" not in own:
        statement = "mod spy" if _clash(own, (plan.source / "coverage.just").read_text()) else "import"
        lines[justfile.name] = f"{statement} '{plan.place}coverage.just'\n"
    return lines


def ignores(plan: Plan) -> dict[str, list[str]]:
    """Return the lines that keep what tasks leave out of git and of images, by the ignore file that lacks them."""
    found = {}
    for name in (".gitignore", ".dockerignore"):
        known = {line.strip().strip("/") for line in _text(plan.root / name).splitlines()}
        if lines := [line for line in LEFT if line not in known]:
            found[name] = lines
    return found


def _places(destination: Path, prefix: str, source: Path) -> tuple[Path, Path]:
    if not destination.is_dir():
        what = "is not a directory" if destination.exists() else "does not exist"
        raise TaskError(f"{destination} {what}: name the repository to install into")
    root = destination.resolve()
    target = Path(os.path.normpath(root / prefix))
    if target.resolve() == source.resolve():
        raise TaskError(f"{destination} is coverage-spy itself: name the repository to install into")
    if not target.is_relative_to(root) or not target.resolve().is_relative_to(root):
        raise TaskError(f"--prefix {prefix} leads out of {root}: name a directory inside it")
    if target.exists() and not target.is_dir():
        raise TaskError(f"--prefix {prefix} is not a directory in {root}: name another one")
    return root, target


def _files(source: Path) -> Iterator[str]:
    for entry in INSTALLED:
        below = sorted((source / entry).rglob("*")) if (source / entry).is_dir() else [source / entry]
        for file in below:
            name = file.relative_to(source)
            if file.is_file() and _GENERATED.isdisjoint(name.parts):
                yield name.as_posix()


def _fate(root: Path, target: Path, name: str, new: str | None, recorded: str | None) -> Fate:
    file = target / name
    # Nothing is read, written or removed through a link that leads elsewhere.
    if not file.parent.resolve().is_relative_to(root):
        raise TaskError(f"{file.parent} leads out of {root}: replace the symbolic link by a directory")
    found = _digest(file)
    if name == "justfile" and found is None and recorded is None and _justfile(target):
        return "yours"  # in another spelling, and just does not choose between two
    return fate_of(name, new, recorded, found)


def _justfile(directory: Path) -> Path | None:
    """Return the justfile of a directory, which just finds in any case, and hidden."""
    entries = sorted(directory.iterdir()) if directory.is_dir() else []
    return next((entry for entry in entries if entry.name.lower() in ("justfile", ".justfile")), None)


def _clash(own: str, ours: str) -> bool:
    names = "|".join(re.findall(r"^([a-z-]+) \*arguments:$", ours, re.MULTILINE))
    return bool(re.search(rf"^(?:@?(?:{names})(?![\w-])(?!\s*:=).*:|alias\s+(?:{names})\s*:=)", own, re.MULTILINE))


def _digest(file: Path) -> str | None:
    if file.is_symlink() or (file.exists() and not file.is_file()):
        return _NO_FILE
    try:
        return hashlib.sha256(read_file(file)).hexdigest()
    except FileNotFoundError:
        return None
    except NotADirectoryError:
        return _NO_FILE
    except OSError as error:
        raise TaskError(f"cannot read {file} ({error.strerror}): make it readable, or remove it") from None


def _text(file: Path) -> str:
    return read_text(file, MOST, ANYWHERE, "replace") if file.is_file() else ""


def _read_stamp(root: Path, target: Path) -> dict[str, str]:
    file = target / STAMP
    try:
        if not file.resolve().is_relative_to(root):
            raise ValueError("it leads elsewhere")
        stamp = read_json(file, within=root)
        if stamp["version"] != STAMP_VERSION:
            raise ValueError(f"version {stamp['version']}")
        return {str(name): str(digest) for name, digest in stamp["files"].items()}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TaskError(f"{file} cannot be read ({error}): remove it, and whatever differs counts as yours") from None


def _describe(source: Path) -> str:
    """Return what git calls the checkout; empty without git."""
    return ask(source, "describe", "--tags", "--always", "--dirty").line if (source / ".git").exists() else ""


def _require_writable(plan: Plan) -> None:
    for name in (*plan.written, *plan.having("removed"), STAMP):
        directory = (plan.target / name).parent
        while not directory.exists():
            directory = directory.parent
        if not os.access(directory, os.W_OK | os.X_OK):
            raise TaskError(f"cannot write to {directory}: make it writable")


def _write(file: Path, content: bytes) -> None:
    beside = file.with_name(f"{file.name}.coverage-spy")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside.unlink(missing_ok=True)
        with beside.open("xb") as stream:
            stream.write(content)
        beside.replace(file)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise TaskError(f"cannot write {file} ({error.strerror}): correct this, and install again") from None


def _remove(file: Path, target: Path) -> None:
    try:
        file.unlink()
    except OSError as error:
        raise TaskError(f"cannot remove {file} ({error.strerror}): correct this, and install again") from None
    with suppress(OSError):  # not empty
        while file.parent != target:
            file = file.parent
            file.rmdir()


def summary(plan: Plan, dry_run: bool) -> str:
    """Return what was done, or would be, and what is left to do."""
    counts = Counter(plan.fates.values())
    done = (
        f"{counts[fate]} {fate}" for fate in ("added", "updated", "restored", "removed", "unchanged") if counts[fate]
    )
    text = [f"{'nothing is written; ' * dry_run}files in {plan.target}: {', '.join(done)}"]
    text += [f"kept, because you changed it: {name}" for name in plan.having("kept")]
    text += [f"not restored, because you deleted it: {name}" for name in plan.having("left out")]
    for name, lines in mounts(plan).items():
        text += ["", f"At the end of {name}:", "", *(f"    {line}" for line in lines.splitlines())]
        if lines.startswith("mod "):
            text += ["", f"(a module, `just spy coverage`, because {name} defines one of the names already)"]
    for name, ignored in ignores(plan).items():
        where = ", where an image is built from this directory" * (name == ".dockerignore")
        text += ["", f"In {name}{where}:", "", *(f"    {line}" for line in ignored)]
    return "\n".join(text)


def as_json(plan: Plan, written: bool) -> str:
    """Return the same for machines."""
    found = {"target": str(plan.target), "template": plan.template, "written": written}
    return json.dumps({**found, "files": dict(plan.fates), "mount": mounts(plan), "ignore": ignores(plan)}, indent=1)
