"""Digests of what was said in a conversation: whoever scores it later can tell whether somebody changed it."""

from __future__ import annotations

from collections.abc import Mapping

from jmedethic_pytest.core import files
from jmedethic_pytest.core.records import Verdict


def digest(verdict: Verdict) -> str:
    """Return the sha256 of a conversation: its case as judges are told of it, and every message with what became of it.

    Scores, times and counts have no part in it.
    """
    case = verdict.case
    said = [[turn.user, turn.reply.status, turn.reply.text] for turn in verdict.turns]
    return files.compact_digest([verdict.key, case.locale, case.guideline, list(case.reference), said])


def digest_of_all(digests: Mapping[str, str]) -> str:
    """Return the sha256 of the conversations of a run.

    Args:
        digests: of each, by its key.
    """
    return files.compact_digest(sorted(digests.items()))
