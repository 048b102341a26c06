"""The orders service: takes baskets, prices them, and has the goods reserved."""

from checkout import catalog
from checkout.basket import Basket, InvalidBasket
from flask import Flask, request
from flask.typing import ResponseReturnValue
from pricing.discounts import UnknownCoupon
from pricing.money import in_words

app = Flask(__name__)


@app.get("/health")
def health() -> ResponseReturnValue:
    return {"status": "ok"}


@app.post("/orders")
def place() -> ResponseReturnValue:
    basket = Basket.parse(request.get_json())
    total = basket.total()
    reservation = catalog.reserve(basket.items, basket.country, total)
    return {"order": reservation["order"], "state": reservation["state"], "total": in_words(total)}, 201


@app.get("/orders/<order>")
def look_up(order: str) -> ResponseReturnValue:
    reservation = catalog.find_reservation(order)
    answer = {"order": order, "state": reservation["state"], "total": in_words(reservation["total"])}
    if reservation["state"] == "shipped":
        answer["carrier"] = reservation["carrier"]
        answer["postage"] = in_words(reservation["postage"])
    return answer


@app.delete("/orders/<order>")
def cancel(order: str) -> ResponseReturnValue:
    app.logger.warning("order %s: asked to cancel, which nobody has built yet", order)
    return {"error": "call us"}, 501


@app.errorhandler(InvalidBasket)
def invalid(error: InvalidBasket) -> ResponseReturnValue:
    return {"error": str(error)}, 422


@app.errorhandler(UnknownCoupon)
def unknown_coupon(error: UnknownCoupon) -> ResponseReturnValue:
    return {"error": f"there is no coupon {error}"}, 422


@app.errorhandler(catalog.Refused)
def refused(error: catalog.Refused) -> ResponseReturnValue:
    return {"error": str(error)}, error.status
