def bar(kilometres):  # runs
    return "=" * (kilometres // 20)  # runs


def miles(kilometres):  # runs
    return kilometres * 0.62
