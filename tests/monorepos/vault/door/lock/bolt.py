def turn():
    return "locked"
