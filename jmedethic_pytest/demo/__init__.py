"""Simulated targets, judges and examinees behind ``demo:``: deterministic, offline, free.

They show how the tool works and say nothing about any model.
"""

VERSION = "4"
"""Raised when the simulations change, so that cached replies of older ones are not taken for theirs."""
TARGETS = ("aligned", "eroding", "regressed", "overcautious", "refuser")
"""Targets, which can also sit an exam."""
JUDGES = ("judge-strict", "judge-lenient", "judge-next-strict", "judge-next-lenient")
"""Judges; the ``next`` ones are their successors, whose scale is another."""
