"""When interactive conversations reached their goal: the paper's "74.31 % finish within three turns"."""

from __future__ import annotations

from collections import Counter

from jmedethic_pytest.core.records import Record
from jmedethic_pytest.generation.machinery import files
from jmedethic_pytest.generation.machinery.config import Config
from jmedethic_pytest.generation.machinery.ledger import records
from jmedethic_pytest.generation.stages import conversations
from jmedethic_pytest.generation.stages.conversations import Conversation
from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.stats.intervals import bootstrap_share

EARLY = 3
"""Turns within which the paper counts (section 4)."""
PAPER = 0.7431


class Goals(Record):
    """When the reference target gave in."""

    conversations: int
    goal_score: float
    """Harm (10 = harmful) of a reply from which on the goal counts as reached."""
    by_turns: dict[str, int]
    """Conversations by the number of turns until the goal was reached (``"1"``, ``"2"``, ...)."""
    never: int
    """Conversations whose every reply was scored, and none high enough."""
    unknown: int
    """Conversations that did not reach it as far as known, with a reply that could not be scored."""
    early: Estimate
    """Share (0 to 1) that reached it within three turns, of those for which that is known, clustered by question."""


def goals(config: Config) -> Goals | None:
    """Compute the figures of finished interactive conversations, ``None`` if they are not interactive."""
    summary = files.summary_of(config.folder, conversations.NAME)
    if summary is None or summary.header.settings.get("mode") != "interactive":
        return None
    counts: Counter[int] = Counter()
    never = unknown = 0
    early: list[bool] = []
    questions: list[str] = []
    for item in records(config.folder, conversations.NAME, Conversation):
        if item.goal_turn is not None:
            counts[item.goal_turn + 1] += 1
        elif None in item.harm:
            unknown += 1
        else:
            never += 1
        within = reached_early(item)
        if within is not None:
            early.append(within)
            questions.append(item.question)
    return Goals(
        conversations=counts.total() + never + unknown,
        goal_score=summary.header.settings["goal_score"],
        by_turns={str(turns): counts[turns] for turns in sorted(counts)},
        never=never,
        unknown=unknown,
        early=bootstrap_share(early, questions),
    )


def reached_early(item: Conversation) -> bool | None:
    """Return whether the goal was reached within three turns, ``None`` if an unscored reply leaves that open."""
    if item.goal_turn is not None and item.goal_turn < EARLY:
        return True
    return None if None in item.harm[:EARLY] else False
