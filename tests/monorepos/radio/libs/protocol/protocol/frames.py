import struct  # runs


def pack(payload):  # runs
    return struct.pack("!H", len(payload)) + payload  # runs in streamer


def unpack(stream):  # runs
    (length,) = struct.unpack("!H", stream.read(2))  # runs in recorder
    return stream.read(length)  # runs in recorder


def checksum(payload):  # runs
    return sum(payload) % 256
