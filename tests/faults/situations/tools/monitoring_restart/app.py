import sys  # runs

events, starts = sys.monitoring.events, []  # runs


def start(code, offset):
    if code.co_name == "watched":
        starts.append(offset >= 0)
        return sys.monitoring.DISABLE


def watched():  # runs
    return 1  # runs


tool = sys.monitoring.PROFILER_ID  # runs
sys.monitoring.use_tool_id(tool, "application")  # runs
sys.monitoring.register_callback(tool, events.PY_START, start)  # runs
sys.monitoring.set_events(tool, events.PY_START)  # runs
for _ in range(3):  # runs
    watched()  # runs
    watched()  # runs
    sys.monitoring.restart_events()  # runs
print(len(starts))  # runs
