"""The summary: a row per service, the total, and what somebody should look at."""

from ..coverage_settings import TITLE
from ..results.results import Results, Totals, counts
from ..text import Row, escaped, fitting, markdown_table, printable, text_table


def markdown(results: Results) -> str:
    """Return the summary for a pull request or a job's page."""
    lines = [f"# {escaped(results.settings.title or TITLE)}", "", *markdown_table(_rows(results))]
    if results.findings:
        lines += ["", "## To look at", "", *(f"- {escaped(finding.sentence)}" for finding in results.findings)]
    return "\n".join(fitting(lines)) + "\n"


def text(results: Results) -> str:
    """Return the summary for a terminal."""
    return "\n".join([*text_table(_rows(results)), *(f"- {finding.sentence}" for finding in results.findings)])


def _rows(results: Results) -> list[Row]:
    services = results.combined.services
    processes = sum(result.processes.all for result in services.values())

    def row(name: str, totals: Totals, processes: int) -> Row:
        return {
            "service": printable(name),
            **counts(totals, results.combined.branch),
            "processes": str(processes),
            "never imported": str(totals.never_imported),
            "unknown": totals.unknowns,
        }

    rows = [row(name, results.of_service(name), result.processes.all) for name, result in services.items()]
    return [*rows, row("total", results.total(), processes)]
