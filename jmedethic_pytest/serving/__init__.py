"""A checkpoint, served for the time of a run: engines, the plan of a server, and the server itself."""
