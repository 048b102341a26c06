def debugged():  # runs
    a = 41  # runs
    a += 1  # runs
    # the next line has the breakpoint
    return a  # runs


print(debugged())  # runs
