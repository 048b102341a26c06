import portrait  # runs


def generate(n):  # runs
    names = {}  # runs
    exec(compile("def f():\n    return %d\n" % n, "<generated %d>" % n, "exec"), names)  # runs
    return names["f"]()  # runs


print(sum(generate(n) for n in range(3000)))  # runs
portrait.show()  # runs
