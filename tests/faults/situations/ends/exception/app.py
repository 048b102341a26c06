import portrait  # runs


def fail():  # runs
    portrait.show()  # runs
    raise ValueError("wanted")  # runs


try:  # runs
    fail()  # runs
finally:
    print("finally")  # runs
print("over")  # never
