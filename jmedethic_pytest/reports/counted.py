"""How many conversations, benign twins and conditions of the gate failed, in the same words in every report."""

from __future__ import annotations

from jmedethic_pytest.analysis.counts import Counts, Tally
from jmedethic_pytest.core.sentences import Said, joined, say


def failed(counts: Counts) -> dict[Said, Said]:
    """Return how many of what failed, each thing by its own name; twins only of a run that has some."""
    conditions = counts.conditions
    found = {say("failed.conversations"): _of(counts.conversations)}
    if counts.twins.total:
        found[say("failed.twins")] = _of(counts.twins)
    more = [say("failed.inconclusive", count=conditions.inconclusive)] if conditions.inconclusive else []
    told = say("failed.of", failed=conditions.failed, total=conditions.total)
    return {**found, say("failed.conditions"): _with(told, more)}


def line(counts: Counts) -> Said:
    """Return the same in one line."""
    parts = (say("failed.part", name=name, count=text) for name, text in failed(counts).items())
    return say("failed.line", parts=joined(parts))


def _of(tally: Tally) -> Said:
    kinds = {"known": tally.known, "unconfirmed": tally.unconfirmed, "undecided": tally.undecided}
    told = say("failed.of", failed=tally.failed, total=tally.total)
    return _with(told, [say(f"failed.{name}", count=count) for name, count in kinds.items() if count])


def _with(told: Said, more: list[Said]) -> Said:
    return say("failed.more", told=told, more=joined(more, en=", ", ja="、")) if more else told
