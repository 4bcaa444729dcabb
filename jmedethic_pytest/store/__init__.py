"""What is kept of a run: verdicts, scores, baselines; and which runs may be compared."""
