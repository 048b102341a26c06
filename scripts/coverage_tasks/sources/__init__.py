"""From a file in a container to a file of the repository: decided by content."""
