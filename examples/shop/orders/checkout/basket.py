"""A basket: what somebody wants to buy, and what that costs."""

from dataclasses import dataclass
from typing import Any

from pricing.discounts import discount
from pricing.tax import tax

from checkout import catalog


class InvalidBasket(ValueError):
    """What was sent is no basket."""


@dataclass(frozen=True)
class Basket:
    """Items by sku, the country of delivery, and a coupon if there is one."""

    items: dict[str, int]
    country: str
    coupon: str | None = None

    @classmethod
    def parse(cls, data: dict[str, Any]) -> "Basket":
        """Read a request's body; raise InvalidBasket."""
        items = data.get("items")
        if not items:
            raise InvalidBasket("the basket is empty")
        for sku, quantity in items.items():
            if quantity < 1:
                raise InvalidBasket(f"{quantity} is not a number of {sku} one can buy")
        return cls(items, data.get("country", "DE"), data.get("coupon"))

    def total(self) -> int:
        """Return the price in cents, discount and tax included; raise Refused or UnknownCoupon."""
        goods = 0
        for sku, quantity in self.items.items():
            goods += quantity * catalog.find_product(sku)["cents"]
        goods -= discount(goods, self.coupon)
        return goods + tax(goods, self.country)
