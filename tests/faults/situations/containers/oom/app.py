import portrait  # runs


def take():  # runs
    taken = []  # runs
    while True:
        taken.append(b"x" * 4_000_000)  # runs
    return taken  # never


portrait.show()  # runs
print("ready", flush=True)  # runs
take()  # runs
print("over")  # never
