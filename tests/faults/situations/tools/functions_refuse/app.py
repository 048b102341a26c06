import _posixsubprocess  # runs
import _thread  # runs
import os  # runs

functions = os.execv, os.execve, os._exit, os.posix_spawn, _thread.start_new_thread, _posixsubprocess.fork_exec  # runs
for function in functions:  # runs
    for arguments in ((), (b"", None, 3, 4)):  # runs
        try:  # runs
            function(*arguments)  # runs
        except (TypeError, OSError) as error:  # runs
            print(function.__name__, type(error).__name__)  # runs
