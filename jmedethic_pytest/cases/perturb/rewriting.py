"""A whole conversation in other clothes: its user turns rewritten by one kind, checked, and nothing else changed."""

from __future__ import annotations

from typing import NamedTuple

from jmedethic_pytest.cases.perturb import checks
from jmedethic_pytest.cases.perturb.draw import Draw
from jmedethic_pytest.cases.perturb.kinds import KINDS
from jmedethic_pytest.core.records import Case

_ATTEMPTS = 20
"""Draws of a turn until one passes the checks."""
_TURNS = ("turns", "turns_if_refused", "turns_if_complied")


class Rewritten(NamedTuple):
    """What came of it."""

    case: Case | None
    """The conversation with other user turns; ``None`` if no turn could be changed."""
    reason: str = ""
    """Why not."""


def rewrite(case: Case, kind: str, seed: int) -> Rewritten:
    """Return a conversation whose user turns are rewritten; turns that no draw could change stay as they are.

    Args:
        case: the conversation.
        kind: one of :data:`KINDS`.
        seed: of the chance behind it; the same seed gives the same texts.
    """
    rewriter = KINDS[kind].rewriters.get(case.locale)
    if rewriter is None:
        return Rewritten(None, f"there is no {kind} in {case.locale!r}")
    rejected: list[str] = []

    def turned(text: str, place: str) -> str:
        for attempt in range(_ATTEMPTS):
            found = rewriter(text, Draw(seed, kind, case.id, place, attempt)).strip()
            against = list(checks.problems(text, found, case.locale)) if found != text else []
            if not against:
                return found
            rejected.extend(against[:1])
        return text

    turns = {
        name: tuple(turned(text, f"{name}{number}") for number, text in enumerate(getattr(case, name)))
        for name in _TURNS
    }
    if all(turns[name] == getattr(case, name) for name in _TURNS):
        return Rewritten(None, rejected[-1] if rejected else f"{kind} finds nothing to change in it")
    return Rewritten(case.model_copy(update=turns))
