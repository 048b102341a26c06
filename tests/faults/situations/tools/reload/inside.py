try:  # runs
    VALUE += 1  # runs
except NameError:  # runs
    VALUE = 1  # runs
