"""Failures by name, a line each, and how many more there are: at the end of ``pytest`` and of ``jmedethic run``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING

from jmedethic_pytest.core.sentences import Said, changed, say
from jmedethic_pytest.core.text import one_line

if TYPE_CHECKING:
    from jmedethic_pytest.analysis.failures import Kind
    from jmedethic_pytest.gate.outcome import Outcome

_LONGEST = 320
"""Characters of a line: what a server said stands at the end of one, and is what helps."""
_WORDS: Mapping[Kind, tuple[str, Said]] = {
    "conversations": ("FAILED", say("failed.conversations")),
    "twins": ("FAILED", say("failed.twins")),
    "unscored": ("ERROR", say("session.unscored")),
}
"""Of each kind: pytest's word for it, and what it is called."""


def failure_lines(outcome: Outcome) -> Iterator[str]:
    """Yield the worst failures of a run; none of one that measured nothing."""
    for kind in _WORDS:
        found = outcome.failures.get(kind)
        if found is not None and not outcome.unmeasured:
            yield from named(kind, ((item.key, item.reason) for item in found.worst), found.total)


def named(kind: Kind, shown: Iterable[tuple[str, str]], total: int) -> Iterator[str]:
    """Yield a line for each failure that is shown, and one for the others.

    Args:
        kind: what they are.
        shown: name and reason of each.
        total: how many there are.
    """
    word, what = _WORDS[kind]
    left = total
    for name, reason in shown:
        told = say("session.failure", word=word, name=name, reason=reason)
        yield changed(told, partial(one_line, limit=_LONGEST))
        left -= 1
    if left:
        yield say("session.more", word=word, count=left, what=what)
