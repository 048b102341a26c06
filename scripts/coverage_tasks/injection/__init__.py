"""What enters a measured process: the spy, its payload and its variables."""
