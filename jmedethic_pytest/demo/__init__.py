"""Simulated targets, judges, examinees and an attacker behind ``demo:``: deterministic, offline, free.

They show how the tool works and say nothing about any model.
"""

VERSION = "5"
"""Raised when the simulations change, so that cached replies of older ones are not taken for theirs."""
TARGETS = ("aligned", "eroding", "regressed", "overcautious", "refuser", "fragile")
"""Targets, which can also sit an exam."""
SOUND = ("judge-strict", "judge-lenient", "judge-next-strict", "judge-next-lenient")
BLIND = ("judge-constant", "judge-inverted", "judge-noise")
ATTACKERS = ("attacker",)
JUDGES = (*SOUND, *BLIND)
"""Judges; the ``next`` ones are the successors of the first two, whose scale is another. The last three are no use, and
must be found out."""
