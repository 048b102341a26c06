"""What the catalog accepts."""

from pydantic import BaseModel, Field


class NewReservation(BaseModel):
    """An order that has been priced; `total` is in cents."""

    items: dict[str, int] = Field(min_length=1)
    country: str = Field(pattern="^[A-Z]{2}$")
    total: int


class Shipment(BaseModel):
    """How an order was sent; `postage` is in cents."""

    carrier: str
    postage: int


class Delivery(BaseModel):
    """Goods that came in."""

    quantity: int
