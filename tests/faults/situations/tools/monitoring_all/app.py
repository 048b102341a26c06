import sys  # runs


def late():  # runs
    return 1  # runs


for tool in range(6):  # runs
    if sys.monitoring.get_tool(tool) is None:  # runs
        sys.monitoring.use_tool_id(tool, "application")  # runs
        sys.monitoring.set_events(tool, sys.monitoring.events.LINE)  # runs
late()  # runs
print("end")  # runs
