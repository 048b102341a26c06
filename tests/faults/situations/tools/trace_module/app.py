import trace  # runs


def counted(n):  # runs
    return n + 1  # runs


tracer = trace.Trace(count=True, trace=False)
print(tracer.runfunc(counted, 1))
print(sorted(line for name, line in tracer.results().counts if name.endswith("app.py")))  # runs
