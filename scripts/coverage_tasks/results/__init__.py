"""From .coverage to statements: what each service executed, by coverage.py's analysis."""
