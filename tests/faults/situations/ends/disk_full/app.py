import os  # runs
import time  # runs

import portrait  # runs


def ask_for(what):  # runs
    time.sleep(0.25)  # runs
    open(what, "w").close()  # runs
    while not os.path.exists(what + ".done"):  # runs
        time.sleep(0.01)  # runs


def with_room():  # runs
    print("room", flush=True)  # runs


def when_full():  # runs
    print("full", flush=True)  # runs


def when_written_back():  # runs
    print("written back", flush=True)  # runs


with_room()  # runs
ask_for("fill")  # runs
when_full()  # runs
ask_for("write_back")  # runs
when_written_back()  # runs
portrait.show()  # runs
