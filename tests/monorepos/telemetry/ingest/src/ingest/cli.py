import argparse  # runs
import pathlib  # runs
import signal  # runs
import sys  # runs

from ingest import __version__  # runs
from ingest.formats import decode  # runs

SAMPLES = ["json:21.5", "csv:18.0", "csv:19.5"]  # runs


def main():  # runs
    parser = argparse.ArgumentParser()  # runs
    parser.add_argument("--directory", type=pathlib.Path)  # runs
    arguments = parser.parse_args()  # runs
    signal.signal(signal.SIGTERM, leave)  # runs
    values = [decode(sample) for sample in SAMPLES]  # runs
    (arguments.directory / "values").write_text("\n".join(map(str, values)))  # runs
    print("ingest", __version__, "has", len(values), "values", flush=True)  # runs
    signal.pause()  # runs


def leave(number, frame):  # runs
    sys.exit(0)  # runs
