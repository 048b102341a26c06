import os  # runs


class Amount:  # runs
    def __init__(self, cents):  # runs
        self.cents = cents  # runs

    def __add__(self, other):  # runs
        return Amount(self.cents + other.cents)  # runs in orders

    def __str__(self):  # runs
        currency = os.environ["SHOP_CURRENCY"]  # runs
        if self.cents < 0:  # runs
            return f"minus {Amount(-self.cents)}"
        return f"{self.cents // 100}.{self.cents % 100:02d} {currency}"  # runs
