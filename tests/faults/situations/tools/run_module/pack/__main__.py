from . import part  # runs

print(part.work())  # runs
