"""Repositories with what a run recorded of them, for the portal to show."""

import subprocess
from pathlib import PurePosixPath

from journal_files import Run

from coverage_tasks.combined.combine import combine
from coverage_tasks.recorded.marks import mark_startup
from coverage_tasks.reports import formats
from coverage_tasks.runs.store import open_run, save_run

START = 1_790_000_000.0


def module(functions, statements, name="work"):
    """A source: `functions` functions of `statements` statements each."""
    body = "".join(f"    value += {number}\n" for number in range(statements - 2))
    return "import os\n" + "".join(
        f"\n\ndef {name}_{number}(value):\n    value = value or os.sep\n{body}    return value\n"
        for number in range(functions)
    )


def lines_of(functions, statements, called):
    """The lines that run when such a source is imported and `called`, a range of its functions, are called."""
    starts = [4 + number * (statements + 3) for number in range(functions)]
    bodies = {line for number in called for line in range(starts[number] + 1, starts[number] + 1 + statements)}
    return {1, *starts} | bodies


def git(root, *arguments):
    author = ("-c", "user.name=t", "-c", "user.email=t@t", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *author, *arguments], cwd=root, check=True, capture_output=True)


def on_a_branch(root, changed):
    """Make the directory a repository of git; the branch that is checked out differs from main in `changed`."""
    git(root, "init", "-q", "-b", "main")
    git(root, "add", ".", *(f":!{path}" for path in changed))
    git(root, "commit", "-q", "-m", "all")
    git(root, "switch", "-q", "-c", "topic")
    git(root, "add", ".")
    git(root, "commit", "-q", "-m", "change")


def reported(run, before=""):
    """Combine what was recorded, write the reports, and return the directory of the HTML; `before` names a run."""
    combine(run.project)
    for report in (formats.JSON, formats.XML, formats.LCOV, formats.MARKDOWN):
        run.write(report)
    run.write(formats.HTML, open_run(run.project, before) if before else None)
    return run.project.root / "htmlcov"


SHOP = {  # path: functions, statements of each, part of
    "services/orders/main.py": (7, 6, "orders"),
    "services/orders/checkout/basket.py": (9, 5, "orders"),
    "services/orders/checkout/payment.py": (12, 9, "orders"),
    "services/orders/checkout/refunds.py": (8, 11, "orders"),
    "services/catalog/main.py": (6, 5, "catalog"),
    "services/catalog/search.py": (11, 8, "catalog"),
    "services/catalog/storage/inventory.py": (10, 7, "catalog"),
    "services/catalog/storage/migrations.py": (5, 14, "catalog"),
    "services/shipping/worker.py": (6, 8, "shipping"),
    "services/shipping/labels.py": (4, 6, "shipping"),
    "services/mailer/main.py": (5, 5, "mailer"),
    "libs/pricing/money.py": (8, 4, "orders catalog shipping"),
    "libs/pricing/tax.py": (6, 6, "orders catalog shipping"),
    "libs/pricing/postage.py": (3, 5, "orders catalog shipping"),
    "libs/events/bus.py": (6, 7, "orders shipping mailer"),
    "libs/events/retry.py": (3, 9, "orders shipping mailer"),
}
CALLED = {  # service: path: number of functions called at start-up, and by traffic; without, it is not imported
    "orders": {
        "services/orders/main.py": (3, 6),
        "services/orders/checkout/basket.py": (0, 8),
        "services/orders/checkout/payment.py": (2, 7),
        "services/orders/checkout/refunds.py": (0, 1),
        "libs/pricing/money.py": (1, 8),
        "libs/events/bus.py": (3, 4),
    },
    "catalog": {
        "services/catalog/main.py": (2, 6),
        "services/catalog/storage/inventory.py": (4, 9),
        "libs/pricing/money.py": (0, 3),
        "libs/pricing/tax.py": (0, 2),
    },
    "shipping": {
        "services/shipping/worker.py": (2, 5),
        "libs/pricing/money.py": (0, 2),
        "libs/pricing/tax.py": (1, 6),
        "libs/events/bus.py": (2, 6),
        "libs/events/retry.py": (0, 1),
    },
}


def shop(root):
    """Services in every state: measured, silent, without Python, on an old Python; and a file that drifted."""
    run = Run(root, {path: module(*shape, PurePosixPath(path).stem) for path, (*shape, _) in SHOP.items()})
    for service in (*CALLED, "mailer"):
        image = {f"/app/{path}": run.source(path) for path, (*_, owners) in SHOP.items() if service in owners.split()}
        if service == "catalog":
            image["/app/services/catalog/search.py"] = b"another = 'source'\n"
        run.service(service, image)
    run.service("proxy", {}, measured=False, reason="its image has no CPython", interpreters=[])
    record_shop(run, CALLED)
    on_a_branch(root, ["services/orders/checkout/refunds.py", "libs/events/bus.py"])
    return run


def record_shop(run, all_called):
    """What the services of the shop leave: at start-up, and by traffic."""
    for phase in (0, 1):
        for service, called in all_called.items():
            recorded = {
                f"/app/{path}": (run.source(path), sorted(lines_of(*SHOP[path][:2], range(numbers[phase]))))
                for path, numbers in called.items()
            }
            engine = "tracer" if service == "shipping" else "monitor"
            run.lines(service, recorded, started=START + phase, host=service, engine=engine, python="3.12.4")
        if not phase:
            mark_startup(run.project, [])
    old = "Python 3.6.15 is too old: nothing is recorded"
    run.lines("legacy", {}, engine="none", python="3.6.15", started=START, refusals=[old])


LATER = {  # what the same services called in a later run: see CALLED; shipping sent nothing
    "orders": {
        "services/orders/main.py": (3, 6),
        "services/orders/checkout/basket.py": (0, 9),
        "services/orders/checkout/payment.py": (2, 5),
        "libs/pricing/money.py": (1, 8),
        "libs/events/bus.py": (3, 4),
    },
    "catalog": {
        "services/catalog/main.py": (2, 6),
        "services/catalog/storage/inventory.py": (4, 8),
        "services/catalog/storage/migrations.py": (1, 2),
        "libs/pricing/money.py": (0, 3),
        "libs/pricing/tax.py": (0, 2),
    },
}


def later_shop(root):
    """The shop after a run that was saved as main, and a later one."""
    run = shop(root)
    combine(run.project)
    save_run(run.project, "main", force=False)
    run.forget()
    inventory = "services/catalog/storage/inventory.py"
    (root / inventory).write_text((root / inventory).read_text() + "\n\ndef added():\n    return os.sep\n")
    image = {f"/app/{path}": run.source(path) for path, (*_, owners) in SHOP.items() if "catalog" in owners.split()}
    run.service("catalog", image | {"/app/services/catalog/search.py": b"another = 'source'\n"})
    record_shop(run, LATER)
    return run


def large(root, files=1800, services=8):
    """Many files: a ninth of them shared, the others of one service each, in directories of 30."""
    shapes, paths, owned = {}, {}, {}
    for number in range(files):
        owner = number % (services + 1)
        top = f"services/s{owner}" if owner < services else "libs/common"
        path = f"{top}/part{number // (services + 1) // 30}/module_{number}.py"
        shapes[path] = (4 + number % 7, 4 + number % 11)
        paths[path] = module(*shapes[path], f"work_{number}")
        for service in range(services) if owner == services else [owner]:
            owned.setdefault(service, []).append(path)
    run = Run(root, paths)
    for service, own in owned.items():
        run.service(f"s{service}", {f"/app/{path}": run.source(path) for path in own})
    for part in (3, 1):  # a third of what traffic calls is called at start-up
        for service, own in owned.items():
            recorded = {}
            for position, path in enumerate(own):
                if (position + service) % 6:
                    called = range((position * 7 + service) % (shapes[path][0] + 1) // part)
                    recorded[f"/app/{path}"] = (run.source(path), sorted(lines_of(*shapes[path], called)))
            run.lines(f"s{service}", recorded, started=START - part, host=f"s{service}")
        if part == 3:
            mark_startup(run.project, [])
    for service in owned:
        for health in range(40):
            run.lines(f"s{service}", {}, started=START + health, pid=health + 2, host=f"s{service}")
    on_a_branch(root, list(paths)[::40])
    return run


# As the portal might call its own pages.
SCRIPTS = ("index_", "gaps", "who", "files", "portal.who")
HOSTILE = (
    "javascript:alert(1);.py",
    "<script>alert(1)</script>.py",
    "<img src=x onerror=alert(1)>.py",
    'a" onmouseover="alert(1)\' b.py',
    "{{ 7 * 7 }}{% raw %}.py",
    "new\nline.py",
    "right\u202eto\u2066left.py",
    "per%63ent#hash?query&amp;.py",
    "back\\slash.py",
    " spaces  inside .py",
    "日本語/é.py",
    "x" * 200 + ".py",
    "long/" * 60 + "path.py",
)
LABELS = (
    "</td><script>alert(1)</script>",
    "\"'onclick=alert(1) {{ 7 * 7 }}",
    "two\nlines\u202e",
    "s" * 300,
    "..",
    "é",
    "",
)


OLD_LABEL = "</th><script>alert(2)</script>"
OLD_RUN = "coverage-data/<img src=x onerror=alert(3)> \u202e{{ 7 * 7 }}"


def hostile(root):
    """Files, services and an older run whose names try to be something else than names."""
    sources = {path: module(2, 3, f"work_{number}") for number, path in enumerate(HOSTILE)}
    scripts = {name: f"#!/usr/bin/env python3\n{name!r}\n" for name in SCRIPTS}
    run = Run(root, sources | scripts, "procfile")
    record_hostile(run, [*LABELS[1:], OLD_LABEL])
    combine(run.project)
    save_run(run.project, "old", force=False).rename(root / OLD_RUN)
    run.forget()
    record_hostile(run, LABELS)
    (root / HOSTILE[1]).write_text("<script>alert(1)</script>")
    return run


def record_hostile(run, labels):
    """What the services of these names leave: each line of most files."""
    root = run.project.root
    run.services.clear()
    for turn, label in enumerate(labels):
        if label:
            run.service(label)
        recorded = {
            str(root / path): (run.source(path), sorted(lines_of(2, 3, range(number % 3))))
            for number, path in enumerate(HOSTILE)
            if (number + turn) % 3
        }
        recorded |= {str(root / name): (run.source(name), [2]) for name in SCRIPTS}
        run.lines(label, recorded, host=label, started=START, refusals=["<script>alert(1)</script>"])
