"""The tasks, each with its options, what it does and how it is shown. Only they know argparse and print."""

from ..reports.formats import JSON, LCOV, XML
from .analyze import analysis_options, analyze, filter_options
from .doctor import compare_option, doctor
from .gates import branch_option, check, ratchet
from .install import install, install_arguments
from .reports import before_option, clean, combine, coverage, html, report, writer
from .runs import between_arguments, compare, runs, runs_arguments, save, save_argument
from .sources import services_argument, sources
from .stack import command_argument, down, overlay, overlay_options, start_options, test, up, wait
from .task import Task, force_option, format_options, json_option

TASKS = (
    Task(
        "coverage",
        "stack",
        coverage,
        "Start, test, stop and report, in one",
        (start_options, before_option, command_argument),
    ),
    Task(
        "up-coverage", "stack", up, "Start the services with coverage and wait until they are ready", (start_options,)
    ),
    Task("ensure-services-ready", "stack", wait, "Wait until the running services are ready"),
    Task("test-with-coverage", "stack", test, "Run a test command against the running services", (command_argument,)),
    Task("down-coverage", "stack", down, "Stop the services, collect what they wrote, keep the volumes"),
    Task("coverage-overlay", "stack", overlay, "Write the compose overlay that turns measuring on", (overlay_options,)),
    Task("coverage-combine", "reports", combine, "Combine what was recorded into .coverage"),
    Task("coverage-html", "reports", html, "Write htmlcov/index.html", (before_option,)),
    Task("coverage-json", "reports", writer(JSON), "Write coverage.json"),
    Task("coverage-xml", "reports", writer(XML), "Write coverage.xml"),
    Task("coverage-lcov", "reports", writer(LCOV), "Write lcov.info"),
    Task(
        "coverage-report",
        "reports",
        report,
        "Combine, write every report and print the summary",
        (start_options, before_option, command_argument),
    ),
    Task(
        "analyze-coverage",
        "reports",
        analyze,
        "Show what ran, what did not and what is unknown",
        (analysis_options, filter_options),
    ),
    Task(
        "coverage-doctor",
        "reports",
        doctor,
        "Say what keeps services from being measured",
        (compare_option, json_option),
    ),
    Task(
        "coverage-sources",
        "reports",
        sources,
        "Show which container path is which path of the repository, and why",
        (services_argument, json_option),
    ),
    Task("coverage-save", "runs", save, "Keep what was combined under a name", (save_argument, force_option)),
    Task(
        "coverage-compare",
        "runs",
        compare,
        "Show what changed from one run to another",
        (between_arguments, format_options),
    ),
    Task(
        "coverage-runs",
        "runs",
        runs,
        "List the saved runs, or add, intersect and subtract runs",
        (runs_arguments, force_option, format_options),
    ),
    Task(
        "coverage-check",
        "gates",
        check,
        "Check the thresholds of coverage-spy.yml, fail_under and the baseline",
        (branch_option, format_options),
    ),
    Task("coverage-baseline", "gates", ratchet, "Write coverage-baseline.json, below which nothing may fall"),
    Task("coverage-clean", "reports", clean, "Remove the recorded data and the reports"),
    Task(
        "coverage-install",
        "setup",
        install,
        "Put coverage-spy into a repository, or update it",
        (install_arguments, json_option),
        needs_project=False,
    ),
)
