"""Digests of what was said in a conversation: whoever scores it later can tell whether somebody changed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jmedethic_pytest.core import files
from jmedethic_pytest.core.records import Turn, Verdict


def digest(verdict: Verdict) -> str:
    """Return the sha256 of a conversation: its case, of which judges are told much, and every message with its status.

    So are the branch it took, how many turns were wanted if there were fewer, and what an attacker said afterwards.
    Scores, times and counts have no part in it, nor fields of the case at their default: a later version may add some.
    """
    case = verdict.case.model_dump(mode="json", exclude_defaults=True)
    said = _said(verdict.turns)
    more = [] if verdict.branch is None else [verdict.branch]
    cut = [verdict.planned_turns] if len(said) < verdict.planned_turns else []
    attacks = [[attack.seed, attack.end, _said(attack.turns)] for attack in verdict.attacks]
    return files.compact_digest([verdict.key, case, said, *more, *cut, *attacks])


def _said(turns: Sequence[Turn]) -> list[list[str]]:
    return [[turn.user, turn.reply.status, turn.reply.text] for turn in turns]


def digest_of_all(digests: Mapping[str, str]) -> str:
    """Return the sha256 of the conversations of a run.

    Args:
        digests: of each, by its key.
    """
    return files.compact_digest(sorted(digests.items()))
