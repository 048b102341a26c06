import inspect  # runs
import sys  # runs
import traceback  # runs


def depth():  # runs
    return [frame.function for frame in inspect.stack()]  # runs


print(depth())  # runs
print(len(sys._current_frames()))  # runs
try:  # runs
    raise ValueError  # runs
except ValueError:  # runs
    print(len(traceback.extract_stack()))  # runs
