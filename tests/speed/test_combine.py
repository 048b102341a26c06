"""What combining costs, counted."""

from costs import opened, steps
from data_files import executed
from journal_files import Run

from coverage_tasks.combined.combine import combine


def many(root, files, services):
    names = [f"libs/p{i // 50}/m{i}.py" for i in range(files)]
    run = Run(root, {name: f"a = {name!r}\n" + "b = 2\n" * 40 for name in names})
    image = {f"/app/{name}": run.source(name) for name in names}
    for number in range(services):
        run.service(f"s{number}", image)
        run.lines(f"s{number}", {path: (source, range(1, 40)) for path, source in image.items()})
    return run


def test_twice_as_much_costs_twice(tmp_path):
    cost = {}
    for files, services in ((10, 2), (40, 4), (40, 8), (80, 8)):  # the first meets all that is kept for later
        run = many(tmp_path / f"{files}-{services}", files, services)
        with opened(run.project.root) as times:
            cost[files, services] = steps(lambda run=run: combine(run.project))
        assert {
            path: count for path, count in times.items() if path.endswith(".py") and count > 2
        } == {}  # of what ran its lines, too
        assert len(executed(run)[f"s{services - 1}"]) == files
    assert cost[40, 8] < 2.2 * cost[40, 4]
    assert cost[80, 8] < 2.2 * cost[40, 8]
