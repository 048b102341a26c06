def read():  # runs in extract
    for station in ("Ulm", "Quito"):  # runs in extract
        if station == "Ulm":  # runs in extract
            yield f"{station} 5"  # runs in extract
        else:
            yield f"{station} 17"  # runs in extract


def calibrate():  # runs in extract
    return None
