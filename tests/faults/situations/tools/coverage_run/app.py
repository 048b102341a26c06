def work():  # runs
    return 1  # runs


print(work())  # runs
