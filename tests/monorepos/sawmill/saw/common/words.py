def plural(word):  # runs
    return word + "s"  # runs
