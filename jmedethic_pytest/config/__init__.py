"""The thresholds file: what a run is asked to do, and what it is held against."""
