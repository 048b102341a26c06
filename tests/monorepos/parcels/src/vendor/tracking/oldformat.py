def carrier(number):
    return "by horse"
