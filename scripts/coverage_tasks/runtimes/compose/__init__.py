"""The runtime of docker compose."""
