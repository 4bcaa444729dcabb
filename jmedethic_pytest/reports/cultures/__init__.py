"""A comparison of packs for people: terminal, tables, plot, page."""
