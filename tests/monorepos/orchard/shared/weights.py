def tons(kilograms):
    return kilograms / 1000
