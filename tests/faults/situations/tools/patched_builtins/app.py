import builtins  # runs


def refuse(*args, **kwargs):
    raise RuntimeError("patched")


names = "open", "len", "any", "abs", "getattr", "set", "dict", "map"  # runs
kept = {name: getattr(builtins, name) for name in names}  # runs
for name in kept:  # runs
    setattr(builtins, name, refuse)  # runs


def after():  # runs
    return 1  # runs


after()  # runs
for name in kept:  # runs
    setattr(builtins, name, kept[name])  # runs
print("end")  # runs
