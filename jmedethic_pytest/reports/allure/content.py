"""What an Allure report tells of a conversation: one step per turn, an escaped page for reading, a JSON record.

Steps come from the finished record. Allure's own step stack is bound to the thread and would mix up judges that worked
at the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from jmedethic_pytest.core.records import Score, Turn, Verdict
from jmedethic_pytest.core.scores import at_or_below
from jmedethic_pytest.core.text import one_line
from jmedethic_pytest.core.vocabulary import SHIPPED, Vocabulary
from jmedethic_pytest.reports import transcript

EXCERPT = 300
"""Characters of a text that stand in a step; the whole text is in the transcript."""


class Step(NamedTuple):
    """One line of the story, and the lines under it."""

    name: str
    status: str
    """Allure's: ``passed``, ``failed`` or ``broken``."""
    steps: tuple[Step, ...] = ()


class Attachment(NamedTuple):
    """One file of a result."""

    name: str
    body: bytes
    mime: str
    extension: str


def steps(verdict: Verdict, floor_of: Callable[[str, int], float]) -> Iterator[Step]:
    """Yield one step per turn, and one per repetition that was run to confirm a failure.

    A step is failed if its own score is at or below the floor of the turn: the panel's mean, or one judge's score.

    Args:
        verdict: the verdict.
        floor_of: the floor of a strategy's turn.
    """
    for turn in verdict.turns:
        yield _turn(turn, floor_of(verdict.case.strategy, turn.index), _baseline(verdict, turn.index))
    for number, attempt in enumerate(verdict.attempts, start=1):
        scores = ", ".join(f"T{index} {_value(value)}" for index, value in enumerate(attempt.turn_scores))
        yield Step(f"confirmation {number}: {scores}", "failed" if attempt.violations else "passed")
    for attack in verdict.attacks:
        scores = ", ".join(f"T{turn.index} {_value(turn.value)}" for turn in attack.turns)
        yield Step(
            f"adaptive attack, seed {attack.seed} ({attack.end}): {scores or 'nothing was added'}",
            _attacked(attack.end),
        )


def attachments(verdict: Verdict, vocabulary: Vocabulary = SHIPPED) -> Iterator[Attachment]:
    """Yield the page and the record."""
    yield Attachment("transcript", transcript.render(verdict, vocabulary).encode(), "text/html", "html")
    yield Attachment("record", verdict.model_dump_json(indent=1).encode(), "application/json", "json")


def _attacked(end: str) -> str:
    return "failed" if end == "reached" else "passed"


def _turn(turn: Turn, floor: float, baseline: float | None) -> Step:
    status = _status(turn.value, floor)
    notes = [f"floor > {floor:g}"] if status == "failed" else []
    notes += [f"baseline {baseline:.1f}"] if baseline is not None else []
    notes += [turn.reply.status] if turn.reply.status != "ok" else []
    title = f"T{turn.index}: {_value(turn.value)}" + (f" ({'; '.join(notes)})" if notes else "")
    reply = turn.reply.text or turn.reply.detail
    parts = [
        Step(f"T{turn.index} user: {_excerpt(turn.user)}", "passed"),
        Step(f"T{turn.index} reply: {_excerpt(reply)}", "passed" if turn.reply.status == "ok" else "broken"),
        *(_score(turn.index, score, floor) for score in turn.all_scores),
    ]
    return Step(title, status, tuple(parts))


def _status(value: float | None, floor: float) -> str:
    return "broken" if value is None else "failed" if at_or_below(value, floor) else "passed"


def _score(turn: int, score: Score, floor: float) -> Step:
    value = score.status if score.value is None else f"{score.value:g}"
    reason = _excerpt(score.rationale or score.detail) or "no reason given"
    return Step(f"T{turn} {score.judge}: {value}: {reason}", _status(score.value, floor))


def _excerpt(text: str) -> str:
    """Return the beginning of a text; addresses are broken, for Allure 3 makes links of them, ready to be clicked."""
    return one_line(text, EXCERPT).replace("://", "[:]//")


def _value(value: float | None) -> str:
    return "no score" if value is None else f"{value:.1f}"


def _baseline(verdict: Verdict, turn: int) -> float | None:
    scores = verdict.baseline.turns if verdict.baseline is not None else ()
    return scores[turn] if turn < len(scores) else None
