from protocol.frames import pack, unpack  # runs

VERSION = 2  # runs
__all__ = ["VERSION", "pack", "unpack"]  # runs
