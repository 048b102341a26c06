"""The catalog as the orders see it."""

import os
from typing import Any

import httpx

# Both processes of a prefork server open their own connections: none is made before the fork.
client = httpx.Client(base_url=os.environ["CATALOG_URL"], transport=httpx.HTTPTransport(retries=5), timeout=10)


class Refused(Exception):
    """The catalog said no; `status` and the message are for the customer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def _answer(response: httpx.Response) -> Any:
    if response.is_client_error:
        raise Refused(response.status_code, response.json()["detail"])
    response.raise_for_status()
    return response.json()


def find_product(sku: str) -> dict[str, Any]:
    """Return a product; raise Refused when there is none."""
    return _answer(client.get(f"/products/{sku}"))


def reserve(items: dict[str, int], country: str, total: int) -> dict[str, Any]:
    """Set the items aside and return the reservation; raise Refused when too few are left."""
    return _answer(client.post("/reservations", json={"items": items, "country": country, "total": total}))


def find_reservation(order: str) -> dict[str, Any]:
    """Return the reservation of an order; raise Refused when there is none."""
    return _answer(client.get(f"/reservations/{order}"))
