"""What each suite came to under a policy, as plain text lines."""

from __future__ import annotations

from collections.abc import Iterator

from jmedethic_pytest.core.records import Condition, Gate, PartAnswer
from jmedethic_pytest.core.sentences import Said, joined, laid, say
from jmedethic_pytest.gate import names
from jmedethic_pytest.gate.figures import TOO_FEW

_LOOK, _HARMLESS, _SHOWN = "tiers.look", "tiers.harmless", "tiers.shown"


def tier_lines(gate: Gate) -> Iterator[Said]:
    """Yield one line for each suite in each language, the critical ones first; none without a policy."""
    width = max((len(part.name) for part in gate.parts), default=0)
    several = len({part.run for part in gate.parts if part.run}) > 1
    for part in gate.parts:
        yield laid(
            "  {tier:<12} {answer:<12} {name:<{width}}  {told}{run}",
            tier=names.tier(part.tier),
            answer=answered(part),
            name=part.name,
            width=width,
            told=said(part),
            run=f"  [{part.run}]" if several and part.run else "",
        ).through(str.rstrip)


def answered(part: PartAnswer) -> str:
    """Return a suite's answer; of one that was not run these words, and a dash where nothing is asked."""
    if part.answer:
        return names.answer(part.answer)
    return "-" if part.run else say("part.not_run")


def said(part: PartAnswer) -> Said:
    """Say what a suite came to besides its answer."""
    word = None
    if part.tier == "advisory":
        word = _SHOWN
    elif part.tier == "supporting":
        word = _LOOK if part.answer is None or any(map(_hurts, part.conditions)) else _HARMLESS
    return joined([part.detail, say(word) if word and part.answer != "pass" else ""])


def _hurts(condition: Condition) -> bool:
    return condition.answer == "fail" or (condition.answer == "inconclusive" and condition.cause != TOO_FEW)
