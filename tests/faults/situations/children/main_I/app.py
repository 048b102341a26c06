import sys  # runs

print(sys.flags.isolated, [name for name in sys.modules if "coverage" in name])  # runs
