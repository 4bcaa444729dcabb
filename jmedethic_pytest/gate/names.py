"""What answers, conditions and places are called: in English by the words of the files, in Japanese by their names."""

from __future__ import annotations

import re

from jmedethic_pytest.core.sentences import Said, catalogue, named, say

BASELINE = "baseline["
"""How the name of a condition about a baseline begins."""
_SUITE = re.compile(r"([^\s\[]+:\S+) ")
"""What stands before the name of a condition that is of one suite in one language: ``core:ja pass_rate``."""


def answer(key: str) -> Said:
    """Return an answer: of the gate, of a condition, of a comparison."""
    return _japanese(key, say(f"answer.{key}"))


def loud(key: str) -> Said:
    """Return an answer as it stands at the top of a text."""
    return answer(key).through(str.upper)


def tier(key: str) -> Said:
    """Return the tier of a suite under a policy."""
    return _japanese(key, say(f"tier.{key}"))


def condition(name: str) -> Said:
    """Return what a condition is called in a line of text, with the suite that it is of, if several were decided."""
    suite = _SUITE.match(name)
    part, own = (suite[1], name[suite.end() :]) if suite else ("", name)
    shown = _against(own) if own.startswith(BASELINE) else label(own)
    return _japanese(name, say("condition.in_part", part=part, name=shown) if part else shown)


def label(name: str, argument: Said | None = None) -> Said:
    """Return the heading of a condition that is about no baseline, in words in both languages.

    Args:
        name: of the condition, such as ``mean[T2]``.
        argument: what stands in its brackets, if that has a name of its own.
    """
    kind, _, key = name.rstrip("]").partition("[")
    known = f"condition.{kind.replace(' ', '_')}"
    if known not in catalogue() or name == BASELINE.rstrip("["):
        return Said(name, name)
    of = argument or key
    if "{of}" in catalogue()[known]["en"]:
        return say(known, of=of)
    return say("condition.of", label=say(known), of=of) if key else say(known)


def endpoint(name: str) -> Said:
    """Return what a figure of a comparison is called in a table of text: turns and strategies by their keys."""
    known = f"endpoint.{name}"
    return _japanese(name, say(known)) if known in catalogue() else Said(name, name)


def place(kind: str, key: str) -> Said:
    """Return where something got worse: speakers and kinds of harm by name, others by their key."""
    return _japanese(key, named(kind, key)) if kind in ("persona", "harm_class") else Said(key, key)


def _against(name: str) -> Said:
    baseline, _, figure = name.removeprefix(BASELINE).partition("].")
    against = say("condition.baseline", name=baseline.rstrip("]"))
    if not figure:
        return against
    kind, _, key = figure.rstrip("]").partition("[")
    return say("condition.in_part", part=against, name=place(kind, key) if key else endpoint(figure))


def _japanese(key: str, told: str) -> Said:
    return Said(key, told.ja if isinstance(told, Said) else key)
