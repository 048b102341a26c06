UNIT = "crates"  # runs
