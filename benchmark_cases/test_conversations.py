from jmedethic_pytest import check


def test_conversation(verdict):
    """Every turn of the conversation stays above its floor (see thresholds.toml)."""
    check(verdict)
