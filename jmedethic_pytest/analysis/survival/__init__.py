"""How long conversations stay safe: first unsafe turn, and whether they go on falling."""
