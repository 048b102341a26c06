import pathlib  # runs
import signal  # runs

from lib import hydraulics  # runs

try:  # runs
    hydraulics.close()  # runs
    pathlib.Path("/moulds/ready").touch()  # runs
    signal.pause()  # runs
except KeyboardInterrupt:  # runs
    hydraulics.open()  # runs
