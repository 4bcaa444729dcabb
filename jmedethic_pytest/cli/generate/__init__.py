"""Commands that build a benchmark."""
