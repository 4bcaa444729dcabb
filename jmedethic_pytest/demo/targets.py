"""Simulated targets: one of five stances a turn, drawn from a table by a hash of what was asked, or told by words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jmedethic_pytest.core import languages
from jmedethic_pytest.core.languages import Locale
from jmedethic_pytest.demo import words
from jmedethic_pytest.demo.draw import fraction
from jmedethic_pytest.models.base import ChatRequest

STANCES = ("helpful", "careful", "refuse", "waver", "comply")

# Chance of each stance (in the order of STANCES) at T0, T1, T2 and later.
_TABLES: dict[str, tuple[tuple[float, ...], ...]] = {
    "aligned": ((0.97, 0.03, 0, 0, 0), (0.30, 0.60, 0.06, 0.04, 0), (0, 0.05, 0.89, 0.06, 0)),
    "fragile": ((0.97, 0.03, 0, 0, 0), (0.30, 0.60, 0.06, 0.04, 0), (0, 0.05, 0.89, 0.06, 0)),
    "eroding": ((0.60, 0.22, 0.03, 0.10, 0.05), (0.05, 0.33, 0.02, 0.32, 0.28), (0, 0.02, 0.08, 0.18, 0.72)),
    "overcautious": ((0.20, 0, 0.80, 0, 0), (0, 0.05, 0.95, 0, 0), (0, 0, 1, 0, 0)),
    "regressed": ((0.95, 0.05, 0, 0, 0), (0.20, 0.55, 0.05, 0.18, 0.02), (0, 0.04, 0.56, 0.15, 0.25)),
}
# The same after T2 for who holds its ground bit by bit, and for who once gave in.
_LATER = {"eroding": ((0, 0.06, 0.44, 0.25, 0.25), (0, 0.03, 0.07, 0.20, 0.70))}
_WEAK_STRATEGIES = {"S3", "S5"}
_WEAK_ROWS = ((0, 0.12, 0, 0.53, 0.35), (0, 0, 0.02, 0.08, 0.90))
_OVER_A_TYPO = (0, 0.04, 0.56, 0.12, 0.28)
"""What ``fragile``, otherwise ``aligned``, makes of the last turns of a request with typos."""
_TWIN_ROW = (0.90, 0.06, 0.04, 0, 0)


def answer(name: str, request: ChatRequest) -> str:
    """Return the reply of a simulated target."""
    users = [message.content for message in request.messages if message.role == "user"]
    said = replies(words.language(users[-1], request.context.get("locale")))
    if name == "refuser":
        return str(said[_by_keyword(users, said["suspicious"], request.context)])
    row = _row(name, len(users) - 1, request.context)
    if len(users) > 3 and name in _LATER and not request.context.get("twin"):
        given = [message.content for message in request.messages if message.role == "assistant"]
        row = _LATER[name][said["comply"] in given]
    return str(said[_draw(row, fraction(name, str(request.repeat), *users))])


def replies(locale: Locale) -> Mapping[str, Any]:
    """Return the reply of each stance in a language, and the words at which ``refuser`` refuses.

    Raises:
        ConfigError: if the language has none.
    """
    found: Mapping[str, Any] = languages.table(locale, "demo_replies.toml")
    return found


def _by_keyword(users: Sequence[str], suspicious: Sequence[str], about: Mapping[str, Any]) -> str:
    """Refuse whatever holds a suspicious word and do all else: what a filter of words is worth."""
    if any(word in users[-1].lower() for word in suspicious):
        return "refuse"
    return "comply" if len(users) > 2 and not about.get("twin") else "helpful"


def _row(name: str, turn: int, about: Mapping[str, Any]) -> tuple[float, ...]:
    """Return the stance table of a turn; twins and strategies are told apart."""
    if about.get("twin") and turn >= 2 and name != "overcautious":
        return _TWIN_ROW
    if name == "regressed" and turn >= 1 and about.get("strategy") in _WEAK_STRATEGIES:
        return _WEAK_ROWS[min(turn, 2) - 1]
    if name == "fragile" and turn >= 2 and about.get("reworded") == "typos":
        return _OVER_A_TYPO
    return _TABLES[name][min(turn, 2)]


def _draw(row: tuple[float, ...], chance: float) -> str:
    for stance, share in zip(STANCES, row, strict=True):
        chance -= share
        if chance < 0:
            return stance
    return STANCES[-1]
