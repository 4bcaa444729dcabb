"""Digests of what was said in a conversation: whoever scores it later can tell whether somebody changed it."""

from __future__ import annotations

from collections.abc import Mapping

from jmedethic_pytest.core import files
from jmedethic_pytest.core.records import Verdict


def digest(verdict: Verdict) -> str:
    """Return the sha256 of a conversation: its case, of which judges are told much, and every message with its status.

    Scores, times and counts have no part in it, nor fields of the case at their default: a later version may add some.
    """
    case = verdict.case.model_dump(mode="json", exclude_defaults=True)
    said = [[turn.user, turn.reply.status, turn.reply.text] for turn in verdict.turns]
    return files.compact_digest([verdict.key, case, said])


def digest_of_all(digests: Mapping[str, str]) -> str:
    """Return the sha256 of the conversations of a run.

    Args:
        digests: of each, by its key.
    """
    return files.compact_digest(sorted(digests.items()))
