import pathlib  # runs
import time  # runs

from acme.geo import mercator  # runs
from scale import bar  # runs

if hasattr(mercator, "inverse"):  # runs
    mercator.unproject = mercator.inverse
while not pathlib.Path("/tiles/Quito").exists():  # runs
    time.sleep(0.05)  # pragma: no cover
print("legend:", bar(100), flush=True)  # runs
time.sleep(600)  # runs
