"""How long conversations of more than three turns stay safe, as a part of the page."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from jmedethic_pytest.analysis.summary import Summary
from jmedethic_pytest.analysis.survival.records import EndedEarly, Rest, SafeTurn, Stratum, Survival
from jmedethic_pytest.reports import words
from jmedethic_pytest.reports.terminal.survival import whatever
from jmedethic_pytest.reports.wording import figure, interval, number, share, share_figure, share_interval
from jmedethic_pytest.reports.words import Text, plain, word


class Section(NamedTuple):
    """The part of the page; without lines there are too few conversations, and ``reason`` says so."""

    reason: Text
    facts: list[tuple[Text, Text]]
    turns: tuple[SafeTurn, ...]
    strata: list[tuple[Text, int, str]]
    """The scores of a stratum, its conversations, and the share of them that is safe to the end."""


def section(summary: Summary) -> Section | None:
    """Return the part about longer conversations; ``None`` if there are none."""
    found = next((item for item in summary.survival if item.kind == "long"), None)
    if found is None:
        return None
    if found.reason:
        counts = {"conversations": found.safe_turns.n, "guidelines": found.guidelines}
        return Section(word("survival.few", **counts), [], (), [])
    strata = [(_stratum(item), item.n, share(item.safe[-1] if item.safe else None)) for item in found.strata]
    return Section(plain(""), list(_facts(found)), found.turns, strata)


def safe_turns(found: Survival) -> Text:
    """Return the mean number of safe turns with its interval."""
    return word("survival.of", value=figure(found.safe_turns), turns=found.of)


def _facts(found: Survival) -> Iterator[tuple[Text, Text]]:
    yield word("safe_turns"), safe_turns(found)
    yield word("survival.end"), plain(share_figure(found.turns[-1].safe))
    yield from _falling(found)
    for step in found.survivors:
        change = f"{number(step.difference.value)} {interval(step.difference)}"
        yield (
            word("survival.step", first=step.first, second=step.second),
            word(f"survival.within.{step.within}", change=change),
        )
    if found.ended_early is not None:
        yield word("finding.ended early"), _ended_early(found.ended_early)


def under_attack(found: Survival) -> Iterator[tuple[Text, Text]]:
    """Yield what can be said of attacked conversations if those that ended early had gone on like the others."""
    if found.ended_early is not None:
        yield word("survival.like_others"), safe_turns(found)
        yield word("finding.ended early"), _ended_early(found.ended_early)
    yield from _falling(found)


def _falling(found: Survival) -> Iterator[tuple[Text, Text]]:
    if found.rest is not None:
        yield word("survival.rest"), _rest(found, found.rest)
        yield word("survival.slope"), _slope(found.rest)


def _rest(found: Survival, rest: Rest) -> Text:
    last = "–".join(turn.turn for turn in found.turns[-2:])
    values = {"turns": last, "hazard": f"{share(rest.hazard.value)} {share_interval(rest.hazard)}"}
    return word(f"survival.{rest.answer}", most=f"{rest.most:.0%}", **values)


def _slope(rest: Rest) -> Text:
    slope = rest.slope
    if slope.value is None or slope.low is None or slope.high is None:
        return word("survival.slope.none")
    low, high = math.exp(slope.low), math.exp(slope.high)
    return word("survival.slope.of", ratio=f"{math.exp(slope.value):.2f} [{low:.2f}, {high:.2f}]")


def _ended_early(found: EndedEarly) -> Text:
    low, high = whatever(found)
    values = {
        "count": sum(found.reasons.values()),
        "reasons": _reasons(found),
        "at_once": low,
        "never": high,
        "without": number(found.without),
        "ahead": f"{number(found.ahead.value)} {interval(found.ahead)}",
    }
    return word("survival.ended.unlike" if found.informative else "survival.ended", **values)


def _reasons(found: EndedEarly) -> Text:
    """Return what ended them, by the names of the statuses; how an attack ended has words of its own."""
    known = words.all_words()
    named = [(known.get(f"attack.end.{name}", words.status(name)), count) for name, count in found.reasons.items()]
    return Text(*(", ".join(f"{name[language]} {count}" for name, count in named) for language in (0, 1)))


def _stratum(found: Stratum) -> Text:
    return plain(f"{number(found.low)} – {number(found.high)}")
