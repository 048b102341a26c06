"""What a task prints: an answer as text, Markdown or JSON."""
