def season(month):  # runs
    return "autumn" if month > 8 else "summer"  # runs
