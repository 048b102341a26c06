RATES = {"books": 7, "games": 19}


def gross(cents, kind):
    return cents * (100 + RATES[kind]) // 100
