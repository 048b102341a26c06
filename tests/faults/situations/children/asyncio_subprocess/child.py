print("child")  # runs
raise SystemExit(2)  # runs
