"""Data files of coverage.py, read and written."""

from coverage import CoverageData


def executed(run):
    """Service -> repository file -> executed lines, as coverage.py reads them."""
    data = CoverageData(str(run.project.coverage_file))
    data.read()
    found = {}
    for service in data.measured_contexts() - {""}:
        data.set_query_context(service)
        lines = {path: set(data.lines(path)) for path in data.measured_files()}
        found[service] = {path: numbers for path, numbers in lines.items() if numbers}
    return found


def data_file(path, lines=(), arcs=(), contexts=()):
    """A data file as somebody's unit tests leave it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    data = CoverageData(str(path))
    data.read()
    for context in contexts or [None]:
        data.set_context(context)
        if lines:
            data.add_lines({str(name): list(numbers) for name, numbers in dict(lines).items()})
        if arcs:
            data.add_arcs({str(name): list(pairs) for name, pairs in dict(arcs).items()})
    data.close()
    return path
