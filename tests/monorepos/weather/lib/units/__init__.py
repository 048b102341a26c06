from units.temperature import kelvin  # runs in transform

__all__ = ["kelvin"]  # runs in transform
