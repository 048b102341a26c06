import coverage  # runs
import journal  # runs
import settings  # runs

print(coverage.VALUE, journal.VALUE, settings.VALUE)  # runs
