"""Before and after, as rows: what is shown of a difference, and what is left to --json."""

from dataclasses import replace

import pytest

from coverage_tasks.combined.model import ServiceResult
from coverage_tasks.recorded.processes import Process, Processes
from coverage_tasks.reports.portal.before import SHOWN_LINES, Before, Shift
from coverage_tasks.results.lines import Share
from coverage_tasks.runs.difference import Change, Difference

NOTHING = frozenset()
DIFFERENCE = Difference("old", "new", {}, {}, {}, {}, ())


def change(statements, lost=NOTHING, covered=NOTHING, untested=NOTHING):
    return Change(Share(0, 0), frozenset(statements), NOTHING, *map(frozenset, (covered, lost, untested)), 0)


@pytest.mark.parametrize(
    ("shift", "text", "kind"),
    [
        (Shift(0, 0), "±0", "same"),
        (Shift(3, 0), "+3", "covered"),
        (Shift(0, 4), "\N{MINUS SIGN}4", "lost"),
        (Shift(3, 4), "+3 \N{MINUS SIGN}4", "both"),
        (Shift.sum([Shift(1, 0), Shift(0, 2), Shift(4, 0)]), "+5 \N{MINUS SIGN}2", "both"),
    ],
)
def test_a_shift_says_with_a_sign_what_its_colour_says(shift, text, kind):
    assert (str(shift), shift.kind) == (text, kind)


def test_files_with_most_statements_come_first_and_name_some_of_their_lines():
    odd = set(range(1, 4 * SHOWN_LINES, 2))
    files = {"a.py": change({7, 8, 9}, lost={8, 9}), "b.py": change(range(60), lost=odd, untested={58})}
    before = Before(replace(DIFFERENCE, files=files), {})
    (_, _, lost), (_, _, covered), (_, title, untested) = before.kinds
    assert [(file.path, file.statements, file.first) for file in lost] == [("b.py", len(odd), 1), ("a.py", 2, 8)]
    assert lost[0].lines.startswith("1, 3, 5, ")
    assert lost[0].lines.endswith(f"{2 * SHOWN_LINES - 1} and {SHOWN_LINES} more")
    assert (lost[1].lines, lost[1].whole) == ("8-9", True)
    assert covered == []
    assert (title, [file.lines for file in untested]) == ("new and not executed", ["58"])


def test_a_service_without_numbers_has_a_reason():
    services = {"web": {"a.py": change({1})}, "idle": {}, "proxy": {}}
    before = Before(
        replace(DIFFERENCE, services=services, unknown_services={"jobs": "it is not in old"}),
        {
            "web": ServiceResult(),
            "proxy": ServiceResult(measured=False, reason="it has no Python"),
            "idle": some_result(),
        },
    )
    assert [(name, numbers.files, reason) for name, numbers, reason in before.of_services] == [
        ("idle", 0, "both runs know of no file of its own"),
        ("jobs", 0, "it is not in old"),
        ("proxy", 0, "is not measured: it has no Python, in both runs"),
        ("web", 1, ""),
    ]


def some_result():
    """A service of which a process was measured."""
    return ServiceResult(
        processes=Processes([Process("1", "", "", 1, "3.12.1", "monitor", 1.0, 1, "complete")]), files=["b.py"]
    )
