import os  # runs

os.execvpe("python", ["python", "third.py"], {"PATH": os.environ["PATH"], "A": "1"})  # runs
