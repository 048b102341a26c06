def forward():  # runs
    print("orders")  # runs


def backward():  # runs
    print("no orders")
