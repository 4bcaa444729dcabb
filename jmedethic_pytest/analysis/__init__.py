"""One run, or several, in figures."""
