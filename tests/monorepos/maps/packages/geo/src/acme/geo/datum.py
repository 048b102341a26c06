WGS84 = 6378137.0


def radius():
    return WGS84
