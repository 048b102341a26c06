import types  # runs


def descend(n):  # runs
    return functions[n + 1](n + 1)


def copy(n):  # runs
    return types.FunctionType(descend.__code__.replace(co_filename=f"new_{n}.py"), globals())  # runs


functions = [copy(n) for n in range(1100)]  # runs
for _ in range(2):  # runs
    try:  # runs
        functions[0](0)  # runs
    except RecursionError:  # runs
        print("caught")  # runs
