raise ValueError("wanted")  # runs
