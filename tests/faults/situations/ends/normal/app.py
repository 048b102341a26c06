import portrait  # runs


def used():  # runs
    print("hello")  # runs


def unused():  # runs
    print("never")  # never


used()  # runs
portrait.show()  # runs
