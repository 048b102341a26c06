import builtins  # runs


def refuse(*args, **kwargs):
    raise RuntimeError("patched")


kept = {
    name: getattr(builtins, name) for name in ("open", "len", "any", "abs", "getattr", "set", "dict", "map")
}  # runs
for name in kept:  # runs
    setattr(builtins, name, refuse)  # runs


def after():  # runs
    return 1  # runs


after()  # runs
for name in kept:  # runs
    setattr(builtins, name, kept[name])  # runs
print("end")  # runs
