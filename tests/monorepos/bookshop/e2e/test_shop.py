"""Runs by itself: python e2e/test_shop.py."""

import subprocess
import urllib.error
import urllib.request


def get(service, path):
    command = ["docker", "compose", "port", service, "8000"]
    address = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    with urllib.request.urlopen(f"http://{address}{path}") as answer:
        return answer.read().decode()


def test_prices():
    assert "emma 9.99 EUR" in get("catalog", "/prices")


def test_total():
    assert get("orders", "/total") == "2 for 29.49 EUR"


def test_missing_page():
    try:
        get("catalog", "/nothing")
    except urllib.error.HTTPError as error:
        assert error.code == 404


if __name__ == "__main__":
    test_prices()
    test_total()
    test_missing_page()
