import os  # runs

try:  # runs
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters

source = "import sys; sys.path.insert(0, %r); import inside" % os.path.dirname(os.path.abspath(__file__))  # runs
for _ in range(2):  # runs
    interpreter = interpreters.create()  # runs
    interpreters.run_string(interpreter, source)  # runs
    interpreters.destroy(interpreter)  # runs
print("end")  # runs
