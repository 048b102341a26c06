import _thread  # runs
import inspect  # runs
import os  # runs

for function in (os.execv, os._exit, os.posix_spawn, _thread.start_new_thread):  # runs
    print(inspect.isbuiltin(function), type(function).__name__)  # runs
try:  # runs
    os.execv()  # runs
except TypeError as error:  # runs
    print(error)  # runs
try:  # runs
    os._exit("a")  # runs
except TypeError as error:  # runs
    print(error)  # runs
