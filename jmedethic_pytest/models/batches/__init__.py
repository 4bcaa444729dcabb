"""Many requests handed over at once and answered within a day, for half the price: what providers call batches."""
