"""Simulated targets and judges: deterministic, offline, free."""
