import portrait  # runs


def work(n):  # runs
    total = 0  # runs
    for i in range(n):  # runs
        total += i % 7  # runs
    return total  # runs


portrait.show()  # runs
print("ready", flush=True)  # runs
while True:
    work(1000)  # runs
