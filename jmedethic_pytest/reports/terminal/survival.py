"""How long conversations stay safe, in a few sentences."""

from __future__ import annotations

from collections.abc import Iterator

from jmedethic_pytest.analysis.survival.records import EndedEarly, Survival
from jmedethic_pytest.core.sentences import Said, joined, say
from jmedethic_pytest.reports.wording import figure, number, share, share_figure, share_interval


def survival_findings(found: Survival) -> Iterator[tuple[Said, str]]:
    """Yield how long conversations stay safe, each sentence with its name."""
    if found.reason:
        yield say("finding.safe_turns"), found.reason
        return
    yield say("finding.safe_turns"), say("safe_turns", turns=safe_turns(found), end=share_figure(found.turns[-1].safe))
    yield (
        say("finding.falls"),
        say("falls", falls=", ".join(f"{turn.turn} {share(turn.hazard)}" for turn in found.turns)),
    )
    if found.rest is not None:
        yield say("finding.rest"), rest(found)
    if found.ended_early is not None:
        yield say("finding.ended"), _ended_early(found.ended_early)


def rest(found: Survival) -> Said:
    """Say whether conversations go on falling; there must be turns enough to tell."""
    if found.rest is None:
        raise ValueError("no two turns to tell it from")
    hazard, last = found.rest.hazard, joined((turn.turn for turn in found.turns[-2:]), en=" and ", ja="・")
    falling = f"{share(hazard.value)} {share_interval(hazard)}"
    return say(f"rest.{found.rest.answer}", share=falling, turns=last, most=f"{found.rest.most:.0%}")


def safe_turns(found: Survival) -> Said:
    """Write the mean number of safe turns."""
    return say("safe_turns.of", value=figure(found.safe_turns), turns=found.of)


def _ended_early(found: EndedEarly) -> Said:
    """Write how much rests on conversations that ended before their plan did."""
    low, high = whatever(found)
    text = say("ended", count=sum(found.reasons.values()), low=low, high=high)
    return joined([text, unlike(found)]) if found.informative else text


def unlike(found: EndedEarly) -> Said:
    """Write how those that ended early were not like the others."""
    ahead = found.ahead.value or 0.0
    return say("ended.better" if ahead > 0 else "ended.worse", ahead=f"{ahead:+.2f}")


def whatever(found: EndedEarly) -> tuple[str, str]:
    """Write between what the mean number of safe turns lies whatever followed; the ends are those of intervals."""
    low, high = found.at_once, found.never
    return number(low.value if low.low is None else low.low), number(high.value if high.high is None else high.high)
