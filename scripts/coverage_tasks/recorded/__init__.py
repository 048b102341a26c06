"""What a run leaves: journals, and what the host keeps beside them. Both wings meet here."""
