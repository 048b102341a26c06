"""Annotations are few, escaped, and on the lines that changed."""

from coverage_tasks.gates.patch import MOST, Patch, annotations


def of(missed):
    return list(annotations(Patch("main", {}, (), missed)))


def test_lines_that_lie_together_are_one_annotation():
    assert of({"web/main.py": (5, 1, 2, 20)}) == [
        "::warning file=web/main.py,line=1,endLine=5,title=Not executed::No service executed 3 changed statements here",
        "::warning file=web/main.py,line=20,endLine=20,title=Not executed::"
        "No service executed 1 changed statement here",
    ]


def test_there_are_never_more_than_github_shows():
    lines = of({f"f{number}.py": (1,) for number in range(30)})
    assert len(lines) == MOST
    assert lines[-1].startswith("::warning title=Not executed::21 more places in 21 files")
    assert len(of({f"f{number}.py": (1,) for number in range(MOST)})) == MOST
    assert "more places" not in "".join(of({f"f{number}.py": (1,) for number in range(MOST)}))


def test_a_file_of_any_name_is_nothing_but_a_name():
    (line,) = of({"a,line=1::b%\n::error::x.py": (1,)})
    assert line.startswith("::warning file=a%2Cline=1%3A%3Ab%25%0A%3A%3Aerror%3A%3Ax.py,line=1,")


def test_nothing_is_said_of_nothing():
    assert of({}) == []
