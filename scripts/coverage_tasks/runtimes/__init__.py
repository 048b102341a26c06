"""Where services run: a module for each runtime, and what they have in common."""
