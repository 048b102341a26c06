import sys  # runs

print(sys.flags.safe_path)  # runs
try:  # runs
    import inside  # runs

    print(inside.VALUE)  # never
except ImportError:  # runs
    print("not found")  # runs
