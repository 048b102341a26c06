import os  # runs

print(sorted((name, value) for name, value in os.environ.items() if "COVERAGE" in name))  # runs
