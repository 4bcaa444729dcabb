"""A stored run in the trackers of experiments: what is told, and one module a tracker."""
