"""Building a benchmark: from a list of guidelines to a test split, in stages that can be stopped and resumed.

Every stage reads the file of the one before and writes its own, ``reports/generation/<name>/<stage>.jsonl``
(:mod:`jmedethic_pytest.generation.machinery.ledger`). Models are asked through the same client, cache, limits and
budget as a run's target and judges (:mod:`jmedethic_pytest.generation.machinery.models`).
"""
