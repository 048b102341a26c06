CARRIERS = {"D": "by road", "L": "by air"}  # runs


def carrier(number):  # runs
    return CARRIERS.get(number[0], "unknown")  # runs in worker
