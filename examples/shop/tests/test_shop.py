"""What a customer gets from the shop, over HTTP. The tests run in order: the last one kills the worker."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

Shipped = Callable[[str], dict[str, Any]]


def test_lists_products(catalog: httpx.Client) -> None:
    products = catalog.get("/products").raise_for_status().json()
    assert [product["sku"] for product in products] == ["mug", "kettle", "anvil"]


def test_prices_an_order_with_tax(orders: httpx.Client) -> None:
    answer = orders.post("/orders", json={"items": {"mug": 2, "kettle": 1}})
    assert answer.status_code == 201
    assert answer.json()["state"] == "reserved"
    assert answer.json()["total"] == "79.73 €"


def test_coupon_lowers_the_price(orders: httpx.Client) -> None:
    answer = orders.post("/orders", json={"items": {"mug": 2}, "country": "FR", "coupon": "WELCOME10"})
    assert answer.json()["total"] == "27.00 €"


@pytest.mark.parametrize(
    ("basket", "status", "error"),
    [
        ({"items": {}}, 422, "the basket is empty"),
        ({"items": {"mug": 1}, "coupon": "FREE"}, 422, "there is no coupon FREE"),
        ({"items": {"spoon": 1}}, 404, "no product spoon"),
        ({"items": {"mug": 1, "kettle": 50}}, 409, "of kettle left"),
    ],
)
def test_refuses_what_it_cannot_sell(orders: httpx.Client, basket: dict[str, Any], status: int, error: str) -> None:
    answer = orders.post("/orders", json=basket)
    assert answer.status_code == status
    assert error in answer.json()["error"]


@pytest.mark.parametrize(
    ("items", "carrier", "cents"), [({"mug": 1}, "parcel", "4.90 €"), ({"anvil": 1}, "freight", "54.00 €")]
)
def test_ships_what_was_ordered(
    orders: httpx.Client, shipped: Shipped, items: dict[str, int], carrier: str, cents: str
) -> None:
    order = orders.post("/orders", json={"items": items}).raise_for_status().json()["order"]
    assert shipped(order)["carrier"] == carrier
    assert shipped(order)["postage"] == cents


def test_killed_worker_ships_no_more(orders: httpx.Client, shipped: Shipped) -> None:
    before = orders.post("/orders", json={"items": {"mug": 1}}).json()["order"]
    shipped(before)
    kill_worker()
    after = orders.post("/orders", json={"items": {"mug": 1}}).json()["order"]
    time.sleep(1)
    assert orders.get(f"/orders/{after}").json()["state"] == "reserved"


def kill_worker() -> None:
    """End the shipping worker the hard way: no handler, no exit code of its own, no last word."""
    if os.environ.get("COVERAGE_SPY_RUNTIME") == "procfile":
        stack = json.loads(Path(os.environ["COVERAGE_SPY_STACK"]).read_text(encoding="utf-8"))
        os.killpg(stack["services"]["shipping"]["pid"], signal.SIGKILL)
    else:
        subprocess.run(["docker", "compose", "kill", "-s", "SIGKILL", "shipping"], check=True)
