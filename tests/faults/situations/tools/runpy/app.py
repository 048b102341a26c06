import runpy  # runs

print(runpy.run_path("first.py")["VALUE"])  # runs
names = {}  # runs
with open("second.py") as file:  # runs
    exec(compile(file.read(), "second.py", "exec"), names)  # runs
print(names["VALUE"])  # runs
