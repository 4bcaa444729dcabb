"""What people say of a run, to look at: a page, tables, lines for the terminal."""
