def used():
    return "shared"
