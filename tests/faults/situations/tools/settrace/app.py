import sys  # runs

events = []


def trace(frame, event, argument):
    if frame.f_code.co_filename.endswith("app.py"):
        events.append((event, frame.f_lineno))
        return trace


def traced(n):  # runs
    return n + 1  # runs


sys.settrace(trace)  # runs
traced(1)  # runs
print(sys.gettrace() is trace)  # runs
sys.settrace(None)  # runs
traced(2)  # runs
print(sys.gettrace())  # runs
print(events)  # runs
