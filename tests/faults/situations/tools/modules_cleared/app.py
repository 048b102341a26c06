import sys  # runs


def after():  # runs
    return 1  # runs


kept = dict(sys.modules)  # runs
sys.modules.clear()  # runs
after()  # runs
sys.modules.update(kept)  # runs
print("end")  # runs
