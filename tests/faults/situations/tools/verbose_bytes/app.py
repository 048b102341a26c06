import tracemalloc  # runs

print(tracemalloc.is_tracing())  # runs
print(b"a" != b"b")  # runs
