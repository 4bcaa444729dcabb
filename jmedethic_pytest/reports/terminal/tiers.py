"""What each suite came to under a policy, as plain text lines."""

from __future__ import annotations

from collections.abc import Iterator

from jmedethic_pytest.core.records import Condition, Gate, PartAnswer
from jmedethic_pytest.core.sentences import Said, joined, say
from jmedethic_pytest.gate.figures import TOO_FEW

_LOOK, _HARMLESS, _SHOWN = "tiers.look", "tiers.harmless", "tiers.shown"


def tier_lines(gate: Gate) -> Iterator[str]:
    """Yield one line for each suite in each language, the critical ones first; none without a policy."""
    width = max((len(part.name) for part in gate.parts), default=0)
    several = len({part.run for part in gate.parts if part.run}) > 1
    for part in gate.parts:
        run = f"  [{part.run}]" if several and part.run else ""
        yield f"  {part.tier:<12} {answered(part):<12} {part.name:<{width}}  {said(part)}{run}".rstrip()


def answered(part: PartAnswer) -> str:
    """Return a suite's answer; of one that was not run these words, and a dash where nothing is asked."""
    return part.answer or ("-" if part.run else "not run")


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
