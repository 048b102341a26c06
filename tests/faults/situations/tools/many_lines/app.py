import time  # runs

with open("large.py", "w") as file:  # runs
    file.write("x = 0\n" + "x += 1\n" * 3_000)  # runs
import large  # runs

print(large.x)  # runs


def after():  # runs
    print("ready", flush=True)  # runs
    time.sleep(60)  # runs


after()  # runs
