"""The ``jmedethic`` command: the same engine and store without pytest."""
