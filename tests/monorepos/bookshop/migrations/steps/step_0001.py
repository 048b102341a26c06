def forward():  # runs
    print("books")  # runs


def backward():  # runs
    print("no books")
