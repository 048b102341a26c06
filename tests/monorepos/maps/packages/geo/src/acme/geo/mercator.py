import math  # runs


def project(latitude, longitude):  # runs
    return round(math.degrees(math.asinh(math.tan(math.radians(latitude)))), 2), longitude  # runs in render


def unproject(y, x):  # runs
    return round(math.degrees(math.atan(math.sinh(math.radians(y)))), 2), x
