import portrait  # runs

portrait.show()  # runs
raise SystemExit(2)  # runs
