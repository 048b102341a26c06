"""The portal around coverage.py's HTML pages."""
