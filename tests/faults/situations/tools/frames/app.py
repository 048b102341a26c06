import inspect  # runs
import traceback  # runs


def depth():  # runs
    return [frame.function for frame in inspect.stack()]  # runs


print(depth())  # runs
try:  # runs
    raise ValueError  # runs
except ValueError:  # runs
    print(len(traceback.extract_stack()))  # runs
