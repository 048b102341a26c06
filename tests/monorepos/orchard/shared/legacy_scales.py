def weigh():
    return 0
