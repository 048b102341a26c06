import os  # runs
import _thread  # runs


class Server:  # runs
    leave = os._exit  # runs
    replace = os.execv  # runs
    begin = _thread.start_new_thread  # runs


server = Server()  # runs
try:  # runs
    server.replace("/nowhere/program", ["program"])  # runs
except FileNotFoundError as error:  # runs
    print(error.strerror, flush=True)  # runs
server.leave(3)  # runs
