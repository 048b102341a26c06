"""The gates: what a run has to reach, by coverage-spy.yml and by the baseline, and which files keep it from that."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from coverage.results import should_fail_under

from ..configuration import NAME, Thresholds, read_configuration
from ..coverage_settings import Settings
from ..errors import TaskError
from ..globs import glob_expression
from ..project import Project
from ..results.lines import Share
from ..results.results import Results, read_results
from ..text import counted
from .baseline import Baseline, Shares, by_directory, require_present_sources
from .patch import measure_patch

# Files that a sentence names: those that weigh most.
NAMED = 3


@dataclass(frozen=True)
class Verdict:
    """What a rule says: `found` and `wanted` in its words, `sentence` with all numbers.

    `files` are those that weigh most when it does not hold, with how many statements (and branches) they lack, and
    `share` is what a percentage is of.
    """

    rule: str
    held: bool
    found: str
    wanted: str
    sentence: str
    files: tuple[tuple[str, int], ...] = ()
    share: Share | None = None


def check(project: Project, compare_branch: str = "") -> list[Verdict]:
    """Return what every rule says of what was combined.

    Raise TaskError when nothing was combined, its sources have changed since, or a rule cannot be understood.
    """
    require_present_sources(project)
    results = read_results(project)
    thresholds = read_configuration(project.root).thresholds
    verdicts = [_services(results), *_thresholds(results, thresholds)]
    if results.settings.fail_under and thresholds.total is None:
        verdicts.append(_fail_under(results, results.settings))
    if thresholds.patch is not None:
        verdicts.append(_patch(project, results, thresholds.patch, compare_branch or thresholds.compare_branch))
    if thresholds.unknown is not None:
        verdicts.append(_unknown(results, int(thresholds.unknown)))
    baseline = Baseline.read(project)
    if baseline:
        verdicts += _ratchet(project, results, baseline, thresholds.tolerance)
    return verdicts


def _services(results: Results) -> Verdict:
    measured = {name: result for name, result in results.combined.services.items() if result.measured}
    unknown = {name: result.why_unknown for name, result in measured.items() if result.why_unknown}
    sentence = "every measured service sent something"
    if unknown:
        reasons = (f"of {name} nothing is known: {reason}" for name, reason in unknown.items())
        sentence = f"{'; '.join(reasons)}; see coverage-doctor, or leave it out in {NAME}"
    return Verdict("services", not unknown, f"{len(measured) - len(unknown)} of {len(measured)}", "all", sentence)


def _thresholds(results: Results, thresholds: Thresholds) -> Iterator[Verdict]:
    branch, files = results.combined.branch, results.shares()
    if thresholds.total is not None:
        yield _reached("total", files, thresholds.total, _unit(branch))
    for name, wanted in thresholds.services.items():
        rule, service = f"service {name}", results.combined.services.get(name)
        if service is None or service.why_unknown:
            why = service.why_unknown if service else "it is not in the run"
            yield Verdict(rule, False, "unknown", f"{wanted:g} %", f"nothing is known of {name}: {why}")
        else:
            yield _reached(rule, results.shares(name), wanted, _unit(branch))
    for glob, wanted in thresholds.paths.items():
        matching = _matching(glob, files)
        rule = f"path {glob}"
        if matching:
            yield _reached(rule, matching, wanted, _unit(branch))
        else:
            yield Verdict(rule, False, "no file", f"{wanted:g} %", f"no file of the results matches {glob}")


def _matching(glob: str, files: Mapping[str, Share]) -> dict[str, Share]:
    globs = [glob] if glob.endswith("*") else [glob, f"{glob.rstrip('/')}/**"]
    try:
        either = [glob_expression(each) for each in globs]
    except ValueError as error:
        raise TaskError(f"{NAME}: thresholds.paths has {glob!r} ({error}): write it as for coverage.py") from None
    return {path: share for path, share in files.items() if any(each.fullmatch(path) for each in either)}


def _reached(rule: str, files: Shares, wanted: float, unit: str) -> Verdict:
    """Return the verdict on a percentage; of nothing, all is executed."""
    share = Share.sum(files.values())
    needed = math.ceil(_exactly(wanted) * share.of / 100)
    sentence = f"{share.exactly} ({share.executed} of {share.of} {unit}) executed, {wanted:g} % wanted"
    heaviest = _heaviest({path: each.missed for path, each in files.items()})
    if share.executed < needed:
        sentence += f" ({needed - share.executed} more): most is missed in {_weights(heaviest)}"
        return Verdict(rule, False, share.exactly, f"{wanted:g} %", sentence, heaviest, share)
    return Verdict(rule, True, share.exactly, f"{wanted:g} %", sentence, share=share)


def _fail_under(results: Results, settings: Settings) -> Verdict:
    """Return the verdict on the total as coverage.py gives it, which rounds up."""
    files, wanted = results.shares(), settings.fail_under
    verdict = _reached("fail_under", files, wanted, _unit(results.combined.branch))
    share, source = Share.sum(files.values()), f"as {settings.file} has it"
    total = 100.0 * share.executed / share.of if share.of else 100.0
    if verdict.held or should_fail_under(total, wanted, settings.precision):
        return replace(verdict, sentence=f"{verdict.sentence}; {source}")
    sentence = f"{share.exactly} executed, which coverage.py rounds to the {wanted:g} % wanted, {source}"
    return replace(verdict, held=True, sentence=sentence, files=())


def _patch(project: Project, results: Results, wanted: float, branch: str) -> Verdict:
    patch = measure_patch(project, results, branch)
    verdict = _reached("patch", patch.files, wanted, f"statements changed since {patch.branch}")
    if not patch.unknown:
        return verdict
    told = bool(Share.sum(patch.files.values()).of) or not wanted
    sentence = f"{verdict.sentence}; of changes in {_some(patch.unknown)} nothing is known"
    return replace(verdict, held=verdict.held and told, sentence=sentence)


def _unknown(results: Results, most: int) -> Verdict:
    found = results.total().unknown
    paths = [*results.combined.unknown, *results.unparsed]
    paths += [path for result in results.combined.services.values() for path in result.unmapped]
    damaged = results.combined.damaged
    sentence = f"{found} files are unknown, {most} may be"
    if paths:
        sentence += f": {_some(paths)}; see analyze-coverage"
    if damaged:
        sentence += f"; and {counted(damaged, 'journal')} could not be read"
    return Verdict("unknown", found + damaged <= most, str(found + damaged), f"at most {most}", sentence)


def _ratchet(project: Project, results: Results, then: Baseline, tolerance: float) -> Iterator[Verdict]:
    name, now = project.baseline.name, Baseline.of(results)
    if then.branch != now.branch:
        sentence = f"the run counts {_unit(now.branch)}, {name} {_unit(then.branch)}: set COVERAGE_BRANCH as then"
        yield Verdict("baseline", False, _unit(now.branch), _unit(then.branch), sentence)
        return
    missing = [path for path in then.files if path not in now.files and (project.root / path).is_file()]
    if missing:
        sentence = f"the run tells nothing of {_some(missing)}, which {name} has; see analyze-coverage"
        yield Verdict("baseline files", False, f"{len(missing)} missing", "all", sentence)
    yield _kept("baseline total", then.files, now.files, tolerance, then.branch)
    for service, own in then.services.items():
        rule, known = f"baseline service {service}", results.combined.services.get(service)
        if service in now.services:
            yield _kept(rule, own, now.services[service], tolerance, then.branch)
        else:
            why = known.why_unknown if known else ""
            sentence = f"nothing is known of {service}: {why or 'the run has no such service with files'}"
            yield Verdict(rule, False, "unknown", Share.sum(own.values()).exactly, sentence)
    directories = by_directory(now.files)
    for directory, files in by_directory(then.files).items():
        if directory in directories:
            yield _kept(f"baseline path {directory}", files, directories[directory], tolerance, then.branch)


def _kept(rule: str, then: Shares, now: Shares, tolerance: float, branch: bool) -> Verdict:
    """Return the verdict on a percentage that may not fall by more than `tolerance` points."""
    old, new = Share.sum(then.values()), Share.sum(now.values())
    nothing = Share(0, 0)
    lower = old.of and new.of and Fraction(*new) < Fraction(*old) - _exactly(tolerance) / 100
    before = f"{old.exactly} ({old.executed} of {old.of}) before"
    sentence = f"{new.exactly} ({new.executed} of {new.of} {_unit(branch)}) executed, {before}"
    if not lower:
        return Verdict(rule, True, new.exactly, old.exactly, sentence, share=new)
    heaviest = _heaviest({path: share.missed - then.get(path, nothing).missed for path, share in now.items()})
    if heaviest:
        sentence += f": more is missed in {_weights(heaviest)}"
    else:
        heaviest = _heaviest({path: each.executed - now.get(path, nothing).executed for path, each in then.items()})
        sentence += f": executed ones were removed from {_weights(heaviest)}, write the baseline again if that is meant"
    return Verdict(rule, False, new.exactly, old.exactly, sentence, heaviest, new)


def _exactly(number: float) -> Fraction:
    """Return the number as it is written, which a float may miss by a hair."""
    return Fraction(str(number))


def _unit(branch: bool) -> str:
    return "statements and branches" if branch else "statements"


def _heaviest(weights: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    ranked = sorted(((path, weight) for path, weight in weights.items() if weight > 0), key=lambda w: (-w[1], w[0]))
    return tuple(ranked[:NAMED])


def _weights(heaviest: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{path} ({weight})" for path, weight in heaviest)


def _some(paths: Collection[str]) -> str:
    first, *others = paths
    return f"{first} and {len(others)} more" if others else first
