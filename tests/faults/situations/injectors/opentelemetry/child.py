import os  # runs
import sys  # runs

print("opentelemetry.instrumentation.auto_instrumentation" in sys.modules, os.environ.get("PYTHONPATH"))  # runs
