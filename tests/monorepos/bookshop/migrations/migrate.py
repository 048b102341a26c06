import importlib  # runs
import pathlib  # runs

STATE = pathlib.Path("/state/version")  # runs


def version():  # runs
    if STATE.exists():  # runs
        return int(STATE.read_text())  # runs
    return 0  # runs


for step in sorted(pathlib.Path(__file__).parent.glob("steps/step_*.py")):  # runs
    number = int(step.stem[5:])  # runs
    if number > version():  # runs
        importlib.import_module(f"steps.{step.stem}").forward()  # runs
        STATE.write_text(str(number))  # runs
