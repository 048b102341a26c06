import select  # runs
import signal  # runs
import socket  # runs

ours, theirs = socket.socketpair()  # runs
theirs.setblocking(False)  # runs
assert signal.set_wakeup_fd(theirs.fileno()) == -1  # runs
signal.signal(signal.SIGTERM, lambda number, frame: None)  # runs
print("ready", flush=True)  # runs
select.select([ours], [], [])  # runs
print(ours.recv(1)[0])  # runs
