import os  # runs
import signal  # runs
import sys  # runs

from lib import hydraulics  # runs

assert os.environ["ALLOY"] == "zinc's $own"  # runs
signal.signal(signal.SIGTERM, lambda *_: sys.exit(hydraulics.cool()))  # runs
hydraulics.heat()  # runs
signal.pause()  # runs
