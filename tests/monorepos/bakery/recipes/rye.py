def loaf(degrees):  # runs
    return "a loaf" if degrees > 200 else "dough"  # runs in oven


def price():  # runs
    return 4.5  # runs in counter
