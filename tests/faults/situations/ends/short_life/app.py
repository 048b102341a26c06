def work():  # runs
    return sum(range(10))  # runs


print(work())  # runs
