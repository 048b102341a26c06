"""Has a docstring that goes."""

import inside  # runs

assert 0, "not with -O"  # never
if __debug__:
    print("never")  # never
print(__doc__, inside.work.__doc__, inside.work())  # runs
