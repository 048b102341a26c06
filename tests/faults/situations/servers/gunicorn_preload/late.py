def body(words):  # runs
    return " ".join(words).encode()  # runs


def unused(words):  # runs
    return words  # never
