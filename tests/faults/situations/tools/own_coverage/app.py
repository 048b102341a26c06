import coverage  # runs

measuring = coverage.Coverage(data_file=None)  # runs
measuring.start()  # runs
import inside  # runs

inside.work()  # runs
measuring.stop()  # runs
for name in measuring.get_data().measured_files():  # runs
    if name.endswith("inside.py"):  # runs
        print(sorted(measuring.get_data().lines(name)))  # runs
print(coverage.__version__)  # runs
