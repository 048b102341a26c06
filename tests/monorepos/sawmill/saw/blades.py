TEETH = 40  # runs


def sharpen(blade):  # runs
    if blade > TEETH:  # runs
        return "sharp"
    return "blunt"  # runs
