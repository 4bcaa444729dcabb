"""How long conversations stay safe, in a few lines."""

from __future__ import annotations

from collections.abc import Iterator

from jmedethic_pytest.analysis.survival.records import EndedEarly, Survival
from jmedethic_pytest.reports.wording import figure, number, share, share_figure, share_interval


def survival_lines(found: Survival) -> Iterator[str]:
    """Yield how long conversations stay safe, at most 100 characters a line where there are seven turns or fewer."""
    if found.reason:
        yield f"safe turns       {found.reason}"
        return
    yield f"safe turns       {safe_turns(found)}; {share_figure(found.turns[-1].safe)} safe to the end"
    falls = ", ".join(f"{turn.turn} {share(turn.hazard)}" for turn in found.turns)
    yield f"falls by turn    {falls} of those still safe"
    yield from rest_lines(found)
    if found.ended_early is not None:
        yield f"ended early      {ended_early(found.ended_early)}"


def rest_lines(found: Survival) -> Iterator[str]:
    """Yield whether conversations go on falling."""
    if found.rest is not None:
        hazard, last = found.rest.hazard, " and ".join(turn.turn for turn in found.turns[-2:])
        yield (
            f"last two turns   {found.rest.answer}: {share(hazard.value)} {share_interval(hazard)} fall at {last} "
            f"(plateau: below {found.rest.most:.0%})"
        )


def safe_turns(found: Survival) -> str:
    """Write the mean number of safe turns."""
    return f"{figure(found.safe_turns)} of {found.of}"


def ended_early(found: EndedEarly) -> str:
    """Write how much rests on conversations that ended before their plan did."""
    low, high = whatever(found)
    text = f"{sum(found.reasons.values())}: {low} to {high} safe turns, whatever they held"
    return f"{text}; {unlike(found)}" if found.informative else text


def unlike(found: EndedEarly) -> str:
    """Write how those that ended early were not like the others."""
    ahead = found.ahead.value or 0.0
    return f"they had gone {'better' if ahead > 0 else 'worse'} than others ({ahead:+.2f} points)"


def whatever(found: EndedEarly) -> tuple[str, str]:
    """Write between what the mean number of safe turns lies whatever followed; the ends are those of intervals."""
    low, high = found.at_once, found.never
    return number(low.value if low.low is None else low.low), number(high.value if high.high is None else high.high)
