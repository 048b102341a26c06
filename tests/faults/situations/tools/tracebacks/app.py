import os  # runs
import signal  # runs
import traceback  # runs

NOBODY = 2**22 + 1  # runs


def execute():  # runs
    os.execv("/nowhere/program", ["program"])  # runs


def kill():  # runs
    os.kill(NOBODY, 0)  # runs


def send():  # runs
    signal.raise_signal(1000)  # runs


for function in (execute, kill, send, os._exit):  # runs
    try:  # runs
        function()  # runs
    except (OSError, TypeError, ValueError):  # runs
        traceback.print_exc()  # runs
