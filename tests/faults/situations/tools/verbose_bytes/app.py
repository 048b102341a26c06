import tracemalloc  # runs

print(tracemalloc.is_tracing())  # runs
print([stat.traceback[0].filename[-6:] for stat in tracemalloc.take_snapshot().statistics("lineno")][0:0])  # runs
