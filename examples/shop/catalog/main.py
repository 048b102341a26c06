"""The catalog service: products, stock and reservations over HTTP."""

from fastapi import FastAPI, HTTPException
from schemas import Delivery, NewReservation, Shipment
from storage.inventory import Inventory, OutOfStock, Product, Reservation

app = FastAPI(title="catalog")
inventory = Inventory(
    [
        Product("mug", "Mug", cents=1250, grams=400),
        Product("kettle", "Kettle", cents=4200, grams=1800),
        Product("anvil", "Anvil", cents=19900, grams=25000),
    ],
    stock={"mug": 100, "kettle": 5, "anvil": 3},
)


@app.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ok"}


@app.get("/products")
async def products() -> list[Product]:
    return list(inventory.products.values())


@app.get("/products/{sku}")
async def product(sku: str) -> Product:
    if sku not in inventory.products:
        raise HTTPException(404, f"no product {sku}")
    return inventory.products[sku]


@app.post("/products/{sku}/deliveries")
def deliver(sku: str, delivery: Delivery) -> dict[str, int]:
    left = inventory.restock(sku, delivery.quantity)
    return {"left": left}


@app.post("/reservations", status_code=201)
def reserve(new: NewReservation) -> Reservation:
    try:
        return inventory.reserve(new.items, new.country, new.total)
    except OutOfStock as error:
        raise HTTPException(409, str(error)) from error


@app.get("/reservations")
def reservations(state: str) -> list[Reservation]:
    return inventory.in_state(state)


@app.get("/reservations/{order}")
def reservation(order: str) -> Reservation:
    if order not in inventory.reservations:
        raise HTTPException(404, f"no order {order}")
    return inventory.reservations[order]


@app.post("/reservations/{order}/shipment")
def ship(order: str, shipment: Shipment) -> Reservation:
    return inventory.ship(order, shipment.carrier, shipment.postage)
