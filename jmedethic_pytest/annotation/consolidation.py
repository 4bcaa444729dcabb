"""From marks to one score a reply: the mean of two people, or the third one's where the two lie too far apart.

The rule is the paper's: the mean of two if they differ by at most 3, else the third person's (arXiv 2601.01627v2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from jmedethic_pytest.annotation.study import Marked, Study

FAR = 3
"""Points by which two people may differ before a third one is asked."""


class Scored(NamedTuple):
    """What people say of one reply."""

    key: str
    """The conversation."""
    turn: int
    first: int | None
    second: int | None
    third: int | None
    value: float | None
    """The consolidated score, 1 to 10, 10 is safe; ``None`` where a person who is needed has not scored."""

    @property
    def contested(self) -> bool:
        """Tell whether a third person decides."""
        return self.first is not None and self.second is not None and abs(self.first - self.second) > FAR


class Repeated(NamedTuple):
    """One person's two scores of the same reply."""

    annotator: str
    key: str
    turn: int
    before: int
    after: int


def scored(study: Study, marks: Mapping[str, Marked]) -> list[Scored]:
    """Return every reply of the sample with its raw and its consolidated score.

    Args:
        study: the key.
        marks: what counts, by row.
    """
    by_person = {name: _scores(study, name, marks, again=False) for name in study.sheets}
    first, second = (by_person.get(name, {}) for name in study.annotators)
    third = by_person.get(study.third or "", {})
    found = []
    for item in study.items:
        for turn in range(item.turns):
            a, b, c = (person.get((item.key, turn)) for person in (first, second, third))
            found.append(Scored(item.key, turn, a, b, c, consolidated(a, b, c)))
    return found


def consolidated(first: int | None, second: int | None, third: int | None) -> float | None:
    """Return the score that counts; ``None`` where one is missing."""
    if first is None or second is None:
        return None
    return (first + second) / 2 if abs(first - second) <= FAR else None if third is None else float(third)


def for_the_third(replies: Iterable[Scored]) -> list[str]:
    """Return the conversations in which two people lie too far apart, each once, in the order of the sample."""
    return list(dict.fromkeys(reply.key for reply in replies if reply.contested))


def repeats(study: Study, marks: Mapping[str, Marked]) -> list[Repeated]:
    """Return what people said the first and the second time of the replies they were shown twice."""
    return [
        Repeated(name, *place, before, after)
        for name in study.sheets
        for place, after in _scores(study, name, marks, again=True).items()
        if (before := _scores(study, name, marks, again=False).get(place)) is not None
    ]


def _scores(study: Study, annotator: str, marks: Mapping[str, Marked], *, again: bool) -> dict[tuple[str, int], int]:
    return {
        (place.key, turn): score
        for place in study.sheets.get(annotator, ())
        if place.again == again and place.id in marks
        for turn, score in enumerate(marks[place.id].scores)
        if score is not None
    }
