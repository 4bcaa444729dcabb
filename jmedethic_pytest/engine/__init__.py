"""From case to verdict: one conversation, many at once, and for other processes."""
