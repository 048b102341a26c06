import logging  # runs
from pathlib import Path  # runs

from flask import Flask  # runs

# The reloader's parent imports this file too, and the child that it starts, and the one that takes over.
starts = Path("starts")  # runs
with starts.open("a") as file:  # runs
    file.write("started\n")  # runs
print("start", len(starts.read_text().splitlines()), flush=True)  # runs
app = Flask(__name__)  # runs
logging.getLogger("werkzeug").setLevel(logging.ERROR)  # runs


@app.get("/")  # runs
def index():
    return "hello"  # runs


@app.get("/touch")  # runs
def touch():
    answer = app.make_response("touched")  # runs
    answer.call_on_close(Path(__file__).touch)  # runs
    return answer  # runs


@app.get("/fail")  # runs
def fail():
    raise LookupError("on purpose")  # runs


@app.get("/other")  # runs
def other():
    return "other"  # never
