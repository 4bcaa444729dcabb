"""Pass, fail or inconclusive: the conditions on a run, and its outcome."""
