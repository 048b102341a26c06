import sys  # runs
import threading  # runs

events = []


def trace(frame, event, argument):
    if frame.f_code.co_name in ("traced", "untraced"):
        events.append(event)
        return trace


def shown():  # runs
    return sys.gettrace()  # runs


def traced():  # runs
    print(shown() is trace, sys.getprofile() is trace)  # runs


def untraced():  # runs
    return 1  # runs


threading.settrace(trace)  # runs
threading.setprofile(trace)  # runs
for target in (traced, untraced):  # runs
    thread = threading.Thread(target=target)  # runs
    thread.start()  # runs
    thread.join()  # runs
    threading.settrace(None)  # runs
    threading.setprofile(None)  # runs
print(events)  # runs
