"""How many conversations a decision needs."""
