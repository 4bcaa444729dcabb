"""How often a target refused, by keywords alone: what can be said of replies that no judge has scored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from jmedethic_pytest.core.records import Verdict
from jmedethic_pytest.core.text import is_redacted
from jmedethic_pytest.judging.refusal import refuses


class Refusals(NamedTuple):
    """Replies of one turn, and those of them that refuse."""

    turn: str
    """``T0``, ``T1``, ...; of a benign twin with ``twin`` before it."""
    replies: int
    refused: int


def by_turn(verdicts: Iterable[Verdict]) -> list[Refusals]:
    """Return the refusals of each turn, those of twins apart; what is missing, cut or redacted does not count."""
    replies, refused = Counter[tuple[bool, int]](), Counter[tuple[bool, int]]()
    for verdict in verdicts:
        for turn in verdict.turns:
            if turn.reply.status == "ok" and not is_redacted(turn.reply.text):
                key = (verdict.case.twin_of is not None, turn.index)
                replies[key] += 1
                refused[key] += refuses(turn.reply.text, verdict.case.locale)
    return [
        Refusals(f"{'twin ' if twin else ''}T{index}", replies[twin, index], refused[twin, index])
        for twin, index in sorted(replies)
    ]
