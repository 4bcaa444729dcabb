"""How the same requests fare in other words: the figures, and some conversations side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from jmedethic_pytest.analysis.robustness import AnyOf, Flipped, Rewording, Robustness
from jmedethic_pytest.core.companions import Companions
from jmedethic_pytest.core.records import Turn, Verdict
from jmedethic_pytest.core.text import visible
from jmedethic_pytest.gate.outcome import Outcome
from jmedethic_pytest.reports.page.rows import Listed
from jmedethic_pytest.reports.wording import number, p_value, points, points_interval, share, share_interval
from jmedethic_pytest.reports.words import Text, all_words, plain, word
from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.store import companions
from jmedethic_pytest.store import runs as run_files

_EXAMPLES = 5
"""Conversations shown side by side; the table of flips has them all."""
_LONGEST = 1500
"""Characters of a text in an example."""


class Line(NamedTuple):
    """A kind and its figures, written out."""

    label: Text
    counts: tuple[str, ...]
    """Conversations, missing, new failures, fixed."""
    flips: str
    repeat: str
    excess: str
    net: str
    reason: Text | None
    """Why nothing more is said of it."""


class Side(NamedTuple):
    """One turn of one side of an example."""

    user: str
    reply: str
    score: str


class Example(NamedTuple):
    """A conversation with another result in other words, at the turn that tells it."""

    key: str
    title: Text
    turn: int
    sides: tuple[Side, Side]
    """As it was, and reworded."""


class Section(NamedTuple):
    """The part of the page."""

    lines: list[Line]
    notes: list[Text]
    examples: list[Example]
    flipped: int
    level: float


def section(outcome: Outcome, listed: Sequence[Listed]) -> Section | None:
    """Return what the page says; ``None`` if nothing was reworded.

    Args:
        outcome: the run.
        listed: its evaluations, with the places of their verdicts.

    Raises:
        StoreError: if what is stored is damaged.
    """
    found = outcome.summary.robustness
    if found is None:
        return None
    lines = [_line(item) for item in (found.whole, *found.by_kind)]
    return Section(
        lines, list(_notes(found)), list(_examples(outcome, found, listed)), len(found.flipped), found.whole.net.level
    )


def kind(name: str) -> Text:
    """Return the name of a kind of surface change; empty for all together."""
    key = f"robustness.kind.{name or 'all'}"
    return word(key) if key in all_words() else plain(name)


def _line(item: Rewording) -> Line:
    return Line(
        label=kind(item.kind),
        counts=tuple(map(str, (item.conversations, item.missing, item.new_failures, item.fixed))),
        flips=_with_ends(share(item.flips.value), share_interval(item.flips)),
        repeat=share(item.repeat_flips.value),
        excess=_points(item.excess),
        net=_points(item.net),
        reason=word("robustness.too_few", count=item.different) if item.reason else None,
    )


def _points(found: Estimate) -> str:
    return _with_ends(points(found.value), points_interval(found))


def _with_ends(value: str, ends: str) -> str:
    return value if ends == "-" else f"{value} {ends}"


def _notes(found: Robustness) -> Iterator[Text]:
    whole = found.whole
    if whole.score.value is not None:
        ends = f"[{number(whole.score.low)}, {number(whole.score.high)}]"
        yield word("robustness.score", value=f"{whole.score.value:+.2f}", ends=ends)
    if whole.missing and whole.net_low is not None:
        ends = f"[{points(whole.net_low)}, {points(whole.net_high)}]"
        span = f"[{points(whole.excess_low)}, {points(whole.excess_high)}]"
        yield word("robustness.missing", count=whole.missing, net=ends, excess=span)
    for item in found.by_kind:
        if item.test is not None and item.test.p is not None:
            yield word("robustness.test", kind=kind(item.kind), p=p_value(item.test.p_adjusted))
    for name, count in found.unchanged.items():
        yield word("robustness.unchanged", kind=kind(name), count=count)
    if found.any_of is not None:
        yield _any_of(found.any_of)


def _any_of(found: AnyOf) -> Text:
    return word(
        "robustness.any_of",
        runs=found.runs,
        count=found.conversations,
        reworded=found.reworded,
        repeated=found.repeated,
    )


def _examples(outcome: Outcome, found: Robustness, listed: Sequence[Listed]) -> Iterator[Example]:
    """Yield some flips, of every kind in turn; both sides are read again from the store."""
    chosen = _of_every_kind(found.flipped)
    wanted = {item.key for item in chosen}
    beside = {item.key: item for item in companions.read(outcome.path) if item.key in wanted} if wanted else {}
    places = {item.row.key: item.place for item in listed if item.row.key in wanted and item.place is not None}
    for item in chosen:
        if item.key in places and item.key in beside:
            original = next(run_files.read_at(outcome.path, [places[item.key]]))
            yield _example(item, original, beside[item.key])


def _of_every_kind(flipped: Sequence[Flipped]) -> list[Flipped]:
    """Return the first flip of every kind, then the second, ...; the list comes with the worst first."""
    seen: dict[str, int] = {}
    ranks = []
    for index, item in enumerate(flipped):
        seen[item.kind] = seen.get(item.kind, -1) + 1
        ranks.append((not item.fails, seen[item.kind], index))
    return [flipped[index] for *_, index in sorted(ranks)[:_EXAMPLES]]


def _example(item: Flipped, original: Verdict, beside: Companions) -> Example:
    assert beside.reworded is not None
    turn = _telling(item)
    sides = tuple(_side({each.index: each for each in verdict.turns}, turn) for verdict in (original, beside.reworded))
    title = word("robustness.fails" if item.fails else "robustness.fixed", kind=kind(item.kind))
    return Example(item.key, title, turn, (sides[0], sides[1]))


def _telling(item: Flipped) -> int:
    """Return the turn with the lowest score of the side that fails."""
    scores = item.reworded if item.fails else item.original
    known = [(value, turn) for turn, value in enumerate(scores) if value is not None]
    return min(known)[1] if known else 0


def _side(turns: Mapping[int, Turn], index: int) -> Side:
    turn = turns.get(index)
    if turn is None:
        return Side("-", "-", "-")
    return Side(_cut(turn.user), _cut(turn.reply.text or turn.reply.detail), number(turn.value, 1))


def _cut(text: str) -> str:
    shown = visible(text)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]} ..."
