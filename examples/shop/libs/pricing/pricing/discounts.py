"""What a coupon takes off an order."""

PERCENT = {"WELCOME10": 10, "FRIENDS25": 25}


class UnknownCoupon(ValueError):
    """No campaign has this coupon."""


def discount(cents: int, coupon: str | None) -> int:
    """Return how many of `cents` the coupon takes off, rounded down; raise UnknownCoupon for a made-up one."""
    if coupon is None:
        return 0
    try:
        percent = PERCENT[coupon]
    except KeyError:
        raise UnknownCoupon(coupon) from None
    return cents * percent // 100
