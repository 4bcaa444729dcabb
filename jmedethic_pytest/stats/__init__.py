"""Statistics of a run. Nothing here is imported by worker processes: pandas comes with it."""
