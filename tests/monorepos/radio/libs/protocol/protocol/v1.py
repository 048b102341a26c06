def pack(payload):
    return payload + b"\n"
