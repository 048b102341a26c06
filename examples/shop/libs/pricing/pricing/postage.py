"""What it costs to send a parcel."""

from dataclasses import dataclass

DOMESTIC = frozenset({"DE"})
UNION = frozenset({"AT", "FR"})
HEAVIEST_PARCEL = 20_000


@dataclass(frozen=True)
class Postage:
    """How something is sent and what that costs, in cents."""

    carrier: str
    cents: int


def postage(grams: int, country: str) -> Postage:
    """Return the cheapest way to send `grams` to `country`."""
    if grams > HEAVIEST_PARCEL:
        return freight(grams)
    if country in DOMESTIC:
        return Postage("parcel", 490)
    if country in UNION:
        return Postage("parcel", 990)
    customs = 500
    return Postage("air mail", 1990 + customs)


def freight(grams: int) -> Postage:
    """Return what a pallet costs: a base price and a price for every kilogram begun."""
    kilograms = -(-grams // 1000)
    return Postage("freight", 4900 + 20 * kilograms)
