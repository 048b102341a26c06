import os  # runs
import pathlib  # runs

QUEUE = pathlib.Path(os.environ["QUEUE"])  # runs


def put(kind, text):  # runs
    part = QUEUE / f"{kind}-{text}.part"  # runs in web, beat
    part.write_text(text)  # runs in web, beat
    part.rename(part.with_suffix(".task"))  # runs in web, beat


def take():  # runs
    for task in QUEUE.glob("*.task"):  # runs in worker
        taken = task.with_suffix(f".{os.uname().nodename}")  # runs in worker
        try:  # runs in worker
            task.rename(taken)  # runs in worker
        except FileNotFoundError:  # pragma: no cover
            continue
        return taken  # runs in worker
    return None  # runs in worker


def is_empty():  # runs
    return not any(QUEUE.glob("*.task"))  # runs in web
