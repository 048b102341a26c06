"""What is written: coverage.py's reports, the portal, the badge, the summary."""
