"""How strategies are found: attempts, searches, a library, and their grouping."""
