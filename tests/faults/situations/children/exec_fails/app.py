import os  # runs


def replace():  # runs
    try:  # runs
        os.execv("/nowhere/program", ["program"])  # runs
    except FileNotFoundError:  # runs
        print("caught")  # runs


replace()  # runs
print("end")  # runs
