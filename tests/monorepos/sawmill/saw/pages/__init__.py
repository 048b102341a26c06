from pathlib import Path  # runs

HERE = Path(__file__).parent  # runs


def render(name, **values):  # runs
    """Compile a template under its own name, as template engines do so that tracebacks show it."""
    text = (HERE / name).read_text()  # runs
    lines = ["def root(values):", "    yield ''"]  # runs
    for line in text.splitlines():  # runs
        lines += [f"    yield {line!r}", "", "    yield '\\n'"]  # runs
    scope = {}  # runs
    exec(compile("\n".join(lines), str(HERE / name), "exec"), scope)  # runs
    return "".join(scope["root"](values))  # runs
