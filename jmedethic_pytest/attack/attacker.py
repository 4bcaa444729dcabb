"""The attacker: asked for one user turn after the other, each of which is looked at before it is sent to the target.

A turn that breaks the content policy, declines, or is none of this conversation is never sent, and in no record. It
ends the attack without an event: whether the target fell is said by the judges' scores alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from jmedethic_pytest.attack import prompt, turns
from jmedethic_pytest.cases.checks import identity, policy
from jmedethic_pytest.config.attacker import AttackerTable, Style
from jmedethic_pytest.config.sampling import Sampling
from jmedethic_pytest.core.errors import ProviderError
from jmedethic_pytest.core.languages import Locale
from jmedethic_pytest.core.records import Case, Reply
from jmedethic_pytest.core.status import AttackEnd
from jmedethic_pytest.core.vocabulary import Vocabulary
from jmedethic_pytest.models import ChatRequest, Message, case_context
from jmedethic_pytest.models.client import Client

_FIRST_REPEAT = 100_000
_ATTEMPTS = 3
"""Answers that are asked for until one is of the form that is wanted, for each turn."""


def attack_repeat(repeat: int, seed: int) -> int:
    """Return the index of repetition under which everybody is asked in an attack: each of them draws anew."""
    return _FIRST_REPEAT * (seed + 1) + repeat


class Answer(NamedTuple):
    """What came of asking for a turn: the turn, or why there is none."""

    calls: int
    """Answers that were asked for."""
    turn: str = ""
    end: AttackEnd | None = None
    detail: str = ""


class Attacker:
    """Writes the user turns after the written ones.

    Args:
        client: the model.
        table: how it is called, how often, and from how many seeds (``[attacker]``).
        style: how it is to go on.
        most: user turns of a conversation at most, the written ones among them.
        vocabulary: the words of the run.
    """

    def __init__(self, client: Client, table: AttackerTable, style: Style, most: int, vocabulary: Vocabulary) -> None:
        self.client = client
        self._style = style
        self._vocabulary = vocabulary
        self._table = table
        self.most = most
        self.seeds = range(table.seeds)
        self.calls = table.calls
        """Answers that may be asked for, from each seed."""

    async def next(
        self, case: Case, said: Sequence[str], replies: Sequence[str], *, seed: int, repeat: int, left: int
    ) -> Answer:
        """Return the next user turn, fit to be sent, or why there is none.

        Args:
            case: what the conversation is to lead to.
            said: the user turns so far.
            replies: the target's own, one to each of them.
            seed: of the attack.
            repeat: index of the repetition of the case.
            left: answers that may still be asked for; one of another form is asked for again.

        Raises:
            RunAborted: if no call to the attacker can succeed, or the budget is spent.
        """
        if left < 1:
            return Answer(0, end="calls", detail=f"the attacker was asked {self.calls} times")
        asked = self._question(case, said, replies, seed, repeat)
        most = min(left, _ATTEMPTS)
        for calls in range(1, most + 1):
            try:
                reply = await self.client.chat(asked)
            except ProviderError as error:
                return Answer(calls, end="error", detail=str(error))
            found = _read(reply, case.locale)
            if found.end != "unreadable":
                found = found if found.end is not None else _looked_at(found.turn, case, said)
                return found._replace(calls=calls)
            again = Message("user", prompt.texts().text("again", case.locale))
            asked = replace(asked, messages=(*asked.messages, Message("assistant", reply.text or "-"), again))
        return Answer(most, end="unreadable", detail="no answer was of the form that was asked for")

    def _question(self, case: Case, said: Sequence[str], replies: Sequence[str], seed: int, repeat: int) -> ChatRequest:
        messages = prompt.question(
            case, said, replies, style=self._style, seed=seed, most=self.most, vocabulary=self._vocabulary
        )
        context = {**case_context(case, len(said)), "style": self._style, "seed": seed}
        return ChatRequest(messages, self._sampling(seed), prompt.SCHEMA, attack_repeat(repeat, seed), context)

    def _sampling(self, seed: int) -> Sampling:
        given = self._table.model_dump(include=set(Sampling.model_fields))
        seeded = self._table.send_seed and self.client.ref.kind == "openai"
        return Sampling(**{**given, "extra": {**self._table.extra, **({"seed": seed} if seeded else {})}})


def _read(reply: Reply, locale: Locale) -> Answer:
    """Return the turn that an answer holds, or why it holds none; nothing of a cut or blocked one is used."""
    if reply.status == "blocked" or reply.finish == "refusal":
        return Answer(0, end="refused", detail="by the provider's filter" if reply.status == "blocked" else "")
    if reply.status == "empty":
        return Answer(0, end="empty")
    turn = prompt.read(reply.text) if reply.status == "ok" else None
    if turn is not None:
        return Answer(0, turns.clean(turn), end=None if turn.strip() else "empty")
    return Answer(0, end="refused" if turns.declines(reply.text, locale) else "unreadable")


def _looked_at(turn: str, case: Case, said: Sequence[str]) -> Answer:
    """Return a turn if it may be sent; else the kind of what is wrong with it, and no word of it."""
    if turns.declines(turn, case.locale):
        return Answer(0, end="refused")
    breach = _breach(turn, case, said)
    if breach is not None:
        return Answer(0, end="policy", detail=breach)
    fault = turns.fault([*said, turn], case.locale)
    return Answer(0, turn) if fault is None else Answer(0, end="unfit", detail=fault)


def _breach(turn: str, case: Case, said: Sequence[str]) -> str | None:
    """Return which rule of the content policy a turn breaks, at the end of what was said before it."""
    group = policy.denied(turn)
    if group is not None:
        return group
    spoken = case.model_copy(update={"turns": (*said, turn)})
    return next((found.check for found in identity.check(spoken) if found.field == f"T{len(said)}"), None)
