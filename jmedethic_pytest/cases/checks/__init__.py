"""Checks on the conversations themselves: content policy, language, near-duplicates, balance, manifest.

No model is asked. A check takes cases and yields findings; nothing here changes a case.
"""

from jmedethic_pytest.cases.checks.findings import Finding

__all__ = ["Finding"]
