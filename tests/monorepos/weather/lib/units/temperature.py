def kelvin(celsius):  # runs in transform
    return celsius + 273  # runs in transform


def fahrenheit(celsius):  # runs in transform
    return celsius * 9 / 5 + 32
