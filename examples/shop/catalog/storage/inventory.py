"""Products, stock and reservations, in memory: the one place where the shop keeps state."""

from dataclasses import dataclass, replace
from itertools import count
from threading import Lock


@dataclass(frozen=True)
class Product:
    """Something the shop sells; the price is in cents, the weight in grams."""

    sku: str
    name: str
    cents: int
    grams: int


@dataclass(frozen=True)
class Reservation:
    """Goods set aside for an order until they are shipped."""

    order: str
    items: dict[str, int]
    country: str
    grams: int
    total: int
    state: str = "reserved"
    carrier: str = ""
    postage: int = 0


class OutOfStock(Exception):
    """Less is left of a product than was asked for."""


class Inventory:
    """All products with what is left of each, and every reservation made."""

    def __init__(self, products: list[Product], stock: dict[str, int]) -> None:
        self.products = {product.sku: product for product in products}
        self.stock = dict(stock)
        self.reservations: dict[str, Reservation] = {}
        self._numbers = count(1)
        self._lock = Lock()

    def reserve(self, items: dict[str, int], country: str, total: int) -> Reservation:
        """Take the items out of stock, all or none; raise KeyError or OutOfStock."""
        with self._lock:
            for sku, quantity in items.items():
                if self.stock[sku] < quantity:
                    raise OutOfStock(f"{self.stock[sku]} of {sku} left")
            grams = 0
            for sku, quantity in items.items():
                self.stock[sku] -= quantity
                grams += quantity * self.products[sku].grams
            order = f"{next(self._numbers):06d}"
            reservation = Reservation(order, items, country, grams, total)
            self.reservations[order] = reservation
        return reservation

    def in_state(self, state: str) -> list[Reservation]:
        """Return the reservations in `state`, oldest first."""
        return [each for each in self.reservations.values() if each.state == state]

    def ship(self, order: str, carrier: str, postage: int) -> Reservation:
        """Mark a reservation as shipped; raise KeyError when there is none."""
        shipped = replace(self.reservations[order], state="shipped", carrier=carrier, postage=postage)
        self.reservations[order] = shipped
        return shipped

    def restock(self, sku: str, quantity: int) -> int:
        """Add to what is left of a product and return the new number."""
        if quantity <= 0:
            raise ValueError("a delivery brings at least one piece")
        self.stock[sku] += quantity
        return self.stock[sku]
