def heat():  # runs
    print("hot", flush=True)  # runs


def cool():  # runs
    print("cold", flush=True)  # runs
    return 0  # runs


def vent():  # runs
    raise SystemExit("empty")
