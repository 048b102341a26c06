from functools import reduce  # runs


def total(prices):  # runs
    return reduce(  # runs
        lambda sum_, price: sum_ + price,
        prices,
        0,
    )


def change(given, total_):  # runs
    return given - total_
