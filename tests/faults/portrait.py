"""What an application can see of itself. Lies beside every app.py; runs on any Python, 2.7 too."""


def show():
    """Print one line that begins with "portrait: " and holds everything that the spy must not change."""
    import json  # here, so that a situation decides what is imported when
    import os
    import signal
    import sys
    import threading

    def plain(thing):
        """Name a handler or a trace function without its address."""
        return getattr(thing, "__qualname__", None) or repr(thing).split(" at 0x")[0]

    def handler(number):
        try:
            return plain(signal.getsignal(number))
        except ValueError:
            return "none"

    with open("/proc/self/statm") as file:  # noqa: PTH123 - 2.7 has no pathlib
        pages = int(file.read().split()[1])
    seen = {
        "signals": [handler(number) for number in range(1, signal.NSIG)],
        "path": sys.path,
        "environment": sorted(os.environ.items()),
        "threads": [thread.name for thread in threading.enumerate()],
        "descriptors": len(os.listdir("/proc/self/fd")),  # noqa: PTH208
        "trace": plain(sys.gettrace()),
        "profile": plain(sys.getprofile()),
        "thread trace": plain(getattr(threading, "_trace_hook", None)),
        "modules": sorted(name for name in sys.modules if "coverage" in name or "sitecustomize" in name),
        "memory": pages * os.sysconf("SC_PAGE_SIZE") // 1024,
    }
    sys.stdout.flush()
    os.write(1, ("portrait: " + json.dumps(seen) + "\n").encode())
