import os  # runs

import shared  # runs

print(shared.used(), os.environ["PYTHONPATH"])  # runs
