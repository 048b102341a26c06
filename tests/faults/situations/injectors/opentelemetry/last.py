import sys  # runs

print("opentelemetry.instrumentation.auto_instrumentation" in sys.modules)  # runs
