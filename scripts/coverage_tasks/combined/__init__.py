"""From journals to one .coverage: mapped per service first, merged after."""
