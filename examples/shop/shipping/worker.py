"""The shipping worker: asks the catalog for reservations, prices the postage, and reports what was sent.

A plain loop without a signal handler, like most workers: a container's stop waits its ten seconds and kills it.
"""

import logging
import os
import time
from typing import Any

import httpx
from pricing.money import in_words
from pricing.postage import postage

log = logging.getLogger("shipping")


def ship(client: httpx.Client, reservation: dict[str, Any]) -> None:
    """Send what was reserved and tell the catalog how."""
    sent = postage(reservation["grams"], reservation["country"])
    answer = client.post(
        f"/reservations/{reservation['order']}/shipment",
        json={"carrier": sent.carrier, "postage": sent.cents},
    )
    answer.raise_for_status()
    log.info("order %s: %s, %s", reservation["order"], sent.carrier, in_words(sent.cents))


def main() -> None:
    """Ship everything that is reserved, for ever."""
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    log.info("waiting for reservations")
    # The transport waits for a catalog that starts later than this worker.
    transport = httpx.HTTPTransport(retries=7)
    with httpx.Client(base_url=os.environ["CATALOG_URL"], transport=transport, timeout=10) as client:
        while True:
            waiting = client.get("/reservations", params={"state": "reserved"})
            for reservation in waiting.json():
                ship(client, reservation)
            time.sleep(0.2)


if __name__ == "__main__":
    main()
