"""What people think of replies that judges scored: a blind sample, sheets to fill in, marks read back, and the key."""
