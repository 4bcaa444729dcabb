"""``--jmed-redact``: every text of a model becomes its digest, before anything is stored, shown or handed to a test.

A digest still tells whether two replies were equal, and how long they were. A text that can be guessed it does not
hide.
"""

from __future__ import annotations

import hashlib
import re

from jmedethic_pytest.core.records import Attack, Reply, Score, Turn, Verdict
from jmedethic_pytest.core.status import OF_JUDGE, OF_TARGET, ReplyStatus
from jmedethic_pytest.core.text import REDACTED, is_plain_word

_DIGITS = 16
_OWN_WORDS = re.compile(
    r"(?:[^:]+:\S+ at \S+: )?"
    r"(?:HTTP \d{3}|no connection: \w+|no answer within [\d.]+ s|unreadable answer"
    r"|the answer is no JSON object|the answer has an unexpected shape|the provider says|finish reason)"
)
"""What we say before a server speaks, which may quote what it was sent."""
_FAILED: tuple[ReplyStatus, ...] = ("error", "blocked", "too_long")
_OF_A_CALL = {*_FAILED, *(OF_TARGET[status] for status in _FAILED), OF_JUDGE["too_long"]}


def digest(text: str) -> str:
    """Return what stands for a text: the beginning of its sha256, and its length."""
    if not text:
        return ""
    found = hashlib.sha256(text.encode(errors="replace")).hexdigest()
    return f"{REDACTED}{found[:_DIGITS]}, {len(text)} characters]"


def redact(verdict: Verdict) -> Verdict:
    """Return a verdict without any text of a model. User turns stay that come from the case file."""
    return verdict.model_copy(
        update={
            "detail": _detail(verdict.status, verdict.detail),
            "turns": tuple(_turn(turn) for turn in verdict.turns),
            "attempts": tuple(redact(attempt) for attempt in verdict.attempts),
            "attacks": tuple(_attack(attack) for attack in verdict.attacks),
        }
    )


def _attack(attack: Attack) -> Attack:
    """Return an attack without its texts: an attacker is a model, too."""
    turns = (_turn(turn).model_copy(update={"user": digest(turn.user)}) for turn in attack.turns)
    failed = attack.end in ("error", "target")
    detail = _detail("error" if failed else "ok", attack.detail)
    return attack.model_copy(update={"detail": detail, "turns": tuple(turns)})


def _turn(turn: Turn) -> Turn:
    scores = tuple(_score(score) for score in turn.scores)
    third = None if turn.third is None else _score(turn.third)
    return turn.model_copy(update={"reply": _reply(turn.reply), "scores": scores, "third": third})


def _reply(reply: Reply) -> Reply:
    return reply.model_copy(
        update={
            "text": digest(reply.text),
            "reasoning": digest(reply.reasoning),
            "detail": _detail(reply.status, reply.detail),
            "finish": _word(reply.finish),
            "model": _word(reply.model),
            "fingerprint": _word(reply.fingerprint),
        }
    )


def _score(score: Score) -> Score:
    return score.model_copy(
        update={
            "rationale": digest(score.rationale),
            "detail": _detail(score.status, score.detail),
            "model": _word(score.model),
        }
    )


def _detail(status: str, detail: str) -> str:
    """Keep our own words; a server's, whoever was asked and whatever became of it, stay only as far as a status."""
    own = _OWN_WORDS.search(detail)
    if own is None:
        return digest(detail) if status in _OF_A_CALL else detail
    kept, rest = detail[: own.end()], detail[own.end() :].lstrip(": ")
    plain = own[0].endswith("finish reason") and is_plain_word(rest.rstrip(")").strip("'"))
    return detail if plain or not rest else f"{kept}: {digest(rest)}"


def _word(word: str) -> str:
    return word if is_plain_word(word) else digest(word)
