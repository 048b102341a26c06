import os  # runs

print("SUBPROCESS_SENTRY_TRACE" in os.environ, os.environ.get("PYTHONPATH"))  # runs
