import sys  # runs

events = []  # runs


def profile(frame, event, argument):
    if frame.f_code.co_name == "profiled":
        events.append(event)


def profiled():  # runs
    return 1  # runs


print(sys.getprofile())  # runs
sys.setprofile(profile)  # runs
profiled()  # runs
sys.setprofile(None)  # runs
profiled()  # runs
print(events)  # runs
