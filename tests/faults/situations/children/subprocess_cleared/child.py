import portrait  # runs

portrait.show()  # runs
raise SystemExit(3)  # runs
