"""What the engine, or the system, itself knows of a stack's processes: receipts are checked against it."""
