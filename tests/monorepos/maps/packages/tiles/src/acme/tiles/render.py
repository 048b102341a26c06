import argparse  # runs
import pathlib  # runs
import time  # runs

from acme.geo import project  # runs

CITIES = {"Ulm": (48.4, 9.99), "Quito": (-0.18, -78.47)}  # runs


def render(target):  # runs
    for name, place in CITIES.items():  # runs
        (target / name).write_text(str(project(*place)))  # runs


def main():  # runs
    parser = argparse.ArgumentParser()  # runs
    parser.add_argument("--follow", action="store_true")  # runs
    follow = parser.parse_args().follow  # runs
    render(pathlib.Path("/tiles"))  # runs
    print("rendered", flush=True)  # runs
    while follow:  # runs
        time.sleep(60)  # runs
