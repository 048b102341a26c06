import sys  # runs

events, lines = sys.monitoring.events, []  # runs


def line(code, number):
    if code.co_name == "watched":
        lines.append(number)


def watched():  # runs
    return 1  # runs


named = (  # runs
    sys.monitoring.DEBUGGER_ID,  # runs
    sys.monitoring.COVERAGE_ID,  # runs
    sys.monitoring.PROFILER_ID,  # runs
    sys.monitoring.OPTIMIZER_ID,  # runs
)
for tool in named:  # runs
    sys.monitoring.use_tool_id(tool, "application")  # runs
    sys.monitoring.register_callback(tool, events.LINE, line)  # runs
    sys.monitoring.set_events(tool, events.LINE)  # runs
watched()  # runs
for tool in named:  # runs
    sys.monitoring.set_events(tool, 0)  # runs
    sys.monitoring.free_tool_id(tool)  # runs
watched()  # runs
print(lines)  # runs
