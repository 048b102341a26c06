import os  # runs
import tempfile  # runs

import portrait  # runs

gone = tempfile.mkdtemp()  # runs
os.chdir(gone)  # runs
os.rmdir(gone)  # runs


def after():  # runs
    return 1  # runs


after()  # runs
portrait.show()  # runs
