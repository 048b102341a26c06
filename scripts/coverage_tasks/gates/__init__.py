"""What a run has to reach."""
