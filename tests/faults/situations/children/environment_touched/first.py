import portrait  # runs

portrait.show()  # runs
