import inspect  # runs
import os  # runs
import pickle  # runs
import posix  # runs

for name in ("execv", "execve", "_exit", "posix_spawn"):  # runs
    function = getattr(os, name)  # runs
    print(name, pickle.loads(pickle.dumps(function)) is function, function is getattr(posix, name))  # runs
    print(function.__name__, function.__qualname__, function.__module__, inspect.signature(function))  # runs
    print(inspect.getdoc(function).splitlines()[0])  # runs
