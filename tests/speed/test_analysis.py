"""What the analysis costs, counted."""

import re
import shutil

from costs import opened, steps
from journal_files import Run

from coverage_tasks.combined.combine import combine
from coverage_tasks.results.results import read_results
from coverage_tasks.runs.dead_code import find_candidates
from coverage_tasks.runs.store import save_run


def many(root, files, services):
    names = [f"libs/p{i // 20}/m{i}.py" for i in range(files)]
    idle = "def f():\n    return 1\n\ndef g():\n    return 2\n"
    run = Run(root, {name: f"{idle}a = {name!r}\n" + "b = 2\n" * 36 for name in names})
    image = {f"/app/{name}": run.source(name) for name in names}
    for number in range(services):
        run.service(f"s{number}", image)
        ran = [line for line in range(1, 40) if line not in (2, 3, 5)]
        run.lines(f"s{number}", {path: (source, ran) for path, source in [*image.items()][5:]})
    combine(run.project)
    return run


def sources(times):
    return {count for path, count in times.items() if path.endswith(".py")}


def test_services_cost_no_parsing(tmp_path):
    cost, read = {}, {}
    for files, services in ((6, 2), (20, 2), (20, 8), (40, 8)):  # the first meets all that is kept for later
        run = many(tmp_path / f"{files}-{services}", files, services)
        with opened(run.project.root) as times:
            analysis = steps(lambda run=run: read_results(run.project))
        read[files, services] = sources(times)
        results = read_results(run.project)
        names = results.combined.services
        tables = steps(lambda results=results, names=names: [results.of_directories(name) for name in names])
        assert len(results.of_directories("s0")) == max(files // 20, 1)
        saved = save_run(run.project, "0", force=False)
        for number in range(10):
            if number:
                shutil.copytree(saved, run.project.runs / str(number))
            file = run.project.runs / str(number) / "combined.json"
            file.write_text(re.sub(r'"started": \d+', f'"started": {1000 + number}', file.read_text()))
        with opened(run.project.root) as times:
            candidates = steps(lambda run=run, results=results: find_candidates(run.project, results, [], 10))
        assert sources(times) == set()
        found = find_candidates(run.project, results, [], 10)
        assert (len(found.runs), len(found.functions), set(found.files.values())) == (10, 2 * files, {11})
        cost[files, services] = analysis, tables, candidates
    assert read[20, 2] == read[20, 8] == read[40, 8]
    for once, twice in zip(cost[20, 8], cost[40, 8], strict=True):
        assert twice < 2.2 * once
    assert cost[20, 8][0] < 2 * cost[20, 2][0], "four times the services, and the sources are parsed once"
