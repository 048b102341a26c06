def write(text):  # runs
    print("counted", text)  # runs


def rotate():  # runs
    raise NotImplementedError
