import os  # runs
import resource  # runs

resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))  # runs
taken, names = [], {}  # runs
text = "\n".join(f"x{n} = 0" for n in range(3000))  # runs
code = compile(text, os.path.abspath("many.py"), "exec")  # runs
try:  # runs
    while len(taken) < 100:  # runs
        taken.append(os.open("/dev/null", os.O_RDONLY))  # runs
except OSError:  # runs
    exec(code, names)  # runs
    once = 1  # runs
for descriptor in taken:  # runs
    os.close(descriptor)  # runs
print(len(names), once)  # runs
