NAME = "development"  # runs
