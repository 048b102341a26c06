import portrait  # runs

for n in range(100_000):  # runs
    exec(compile("x = 1", f"<made {n}>", "exec"), {})  # runs
portrait.show()  # runs
