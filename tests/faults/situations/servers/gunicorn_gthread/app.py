import threading  # runs

from flask import Flask, abort, request  # runs

app = Flask(__name__)  # runs
local = threading.local()  # runs


@app.before_request  # runs
def remember():
    local.path = request.path  # runs


@app.get("/")  # runs
def index():
    if threading.current_thread() is threading.main_thread():  # runs
        return "main thread"  # never
    return "a thread"  # runs


@app.get("/items/<name>")  # runs
def item(name):
    if not name.isdigit():  # runs
        abort(404)  # runs
    return {"item": int(name), "path": local.path}  # runs


@app.post("/items")  # runs
def add():
    return request.get_data(), 201  # runs


@app.delete("/items/<name>")  # runs
def delete(name):
    return ""  # never


@app.get("/fail")  # runs
def fail():
    raise LookupError("on purpose")  # runs
