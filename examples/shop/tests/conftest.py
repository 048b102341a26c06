"""Clients for the running shop, whichever way it runs."""

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

PATIENCE = 30.0


def _wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            httpx.get(f"{url}/health").raise_for_status()
            return
        except httpx.HTTPError as error:
            if time.monotonic() > deadline:
                pytest.exit(f"nothing healthy at {url} within {PATIENCE:.0f} s: {error}", returncode=1)
            time.sleep(0.2)


@pytest.fixture(scope="session")
def catalog() -> Iterator[httpx.Client]:
    url = os.environ.get("CATALOG_URL", "http://127.0.0.1:8002")
    _wait_until_ready(url)
    with httpx.Client(base_url=url) as client:
        yield client


@pytest.fixture(scope="session")
def orders() -> Iterator[httpx.Client]:
    url = os.environ.get("ORDERS_URL", "http://127.0.0.1:8001")
    _wait_until_ready(url)
    with httpx.Client(base_url=url) as client:
        yield client


@pytest.fixture
def shipped(orders: httpx.Client) -> Callable[[str], dict[str, Any]]:
    """Wait until an order is shipped and return it as the customer sees it."""

    def wait(order: str) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while True:
            seen: dict[str, Any] = orders.get(f"/orders/{order}").raise_for_status().json()
            if seen["state"] == "shipped":
                return seen
            assert time.monotonic() < deadline, f"order {order} is still {seen['state']}"
            time.sleep(0.1)

    return wait
