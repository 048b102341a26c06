"""slugs 1.2, vendored: the same in every service."""

from .rules import RULES  # runs


def slug(text):  # runs
    for old, new in RULES.items():  # runs
        text = text.replace(old, new)  # runs
    return text.lower()  # runs


def unslug(text):  # runs
    return text.replace("-", " ").title()
