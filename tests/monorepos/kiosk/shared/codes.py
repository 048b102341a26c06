"""Writes the module with the article codes; run when the image of the till is built."""

print("PRICES =", {"tea": 199, "cake": 350})
