"""A pseudo-terminal and what it shows."""

import fcntl
import os
import re
import select
import struct
import termios

from machine import PATIENCE


class Terminal:
    """A pseudo-terminal with a task on it, and all that it was sent."""

    def __init__(self, columns=80):
        self.ours, self.theirs = os.openpty()
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.sent = ""

    def read(self, until=None):
        """Everything until something was sent that a pattern finds, or until nobody is left who could send anything."""
        while until is None or not re.search(until, self.sent):
            assert select.select([self.ours], [], [], PATIENCE)[0], self.sent
            try:
                data = os.read(self.ours, 4096)
            except OSError:
                break
            self.sent += data.decode()
        return self.sent

    @property
    def shown(self):
        """What stands on the screen, line by line."""
        lines, column = [""], 0
        for part in re.findall(r"\r|\n|\x1b\[K|\x1b|[^\r\n\x1b]+", self.sent):
            if part == "\n":
                lines.append("")
            elif part == "\r":
                column = 0
            elif part == "\x1b[K":
                lines[-1] = lines[-1][:column]
            else:
                assert part != "\x1b", self.sent
                lines[-1] = lines[-1][:column].ljust(column) + part + lines[-1][column + len(part) :]
                column += len(part)
        return [line.rstrip() for line in lines if line.strip()]
