"""Amounts of money are whole cents; this module is the only place that turns them into text."""

SYMBOLS = {"EUR": "€", "USD": "$"}


def in_words(cents: int, currency: str = "EUR") -> str:
    """Return `cents` as a customer reads it: 1250 is "12.50 €"."""
    if cents < 0:
        return "-" + in_words(-cents, currency)
    units, rest = divmod(cents, 100)
    return f"{units}.{rest:02d} {SYMBOLS[currency]}"
