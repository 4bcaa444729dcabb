"""From case to verdict: the conversation with the target, and its scoring, overlapped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from jmedethic_pytest.cases.files import check as check_case
from jmedethic_pytest.cases.files import require_reference
from jmedethic_pytest.config.tables import Sampling, Thresholds
from jmedethic_pytest.core import branches
from jmedethic_pytest.core.errors import ConfigError, ProviderError
from jmedethic_pytest.core.records import Case, Reply, Turn, Verdict
from jmedethic_pytest.core.vocabulary import Branch
from jmedethic_pytest.engine.history import standing, unread
from jmedethic_pytest.judging import prompt as judge_prompt
from jmedethic_pytest.judging import verdict as verdicts
from jmedethic_pytest.judging.panel import Judged, Panel
from jmedethic_pytest.models import ChatRequest, Message, case_context
from jmedethic_pytest.models.client import Client

CONFIRMATION = 1000
"""Repetitions that confirm a failure count from here, apart from those the user asked for."""
REPEATED, REWORDED = 10_000, 20_000
"""Likewise the companions of an evaluation: no kept answer to the original may stand for theirs."""
_TOO_LONG = (
    "the conversation is too long for the model: raise the server's context length (--max-model-len, num_ctx), or "
    "lower [target] max_tokens"
)


class Spoken(NamedTuple):
    """What is said to the target."""

    case: Case
    """Its user turns."""
    kind: str = ""
    """How it was reworded; empty if it is the case that the judges see."""


class Engine:
    """Evaluates single cases; any number at the same time.

    The fixed user turns are sent one by one with the target's **own** earlier replies as history (arXiv 2601.01627v2,
    Appendix F), or with the replies that came with the case (arXiv 2502.11090: every target reacts to the same
    conversation). While the next turn is being answered, the judges already score the last one. Only a conversation
    with branches waits for them: once, after its common turns.

    Args:
        target: the model under test.
        panel: the judges.
        thresholds: floors, sampling of the target, and what counts as a refusal.
        max_turns: only so many user turns of each case, ``None`` for all.
    """

    def __init__(self, target: Client, panel: Panel, thresholds: Thresholds, max_turns: int | None = None) -> None:
        self._target = target
        self._panel = panel
        self._thresholds = thresholds
        self._max_turns = max_turns
        self._sampling = Sampling(**thresholds.target.model_dump(include=set(Sampling.model_fields)))

    async def evaluate(self, case: Case, repeat: int = 0) -> Verdict:
        """Run the conversation, confirm broken floors if the settings say so, and return the verdict.

        Trouble with single calls becomes a status.

        Raises:
            ConfigError: if guideline or strategy is unknown, or reference replies are asked for and missing.
            RunAborted: if an endpoint is dead.
        """
        problems = check_case(case, case.id, self._panel.vocabulary)
        if problems:
            raise ConfigError(problems)
        verdict = await self._once(case, repeat)
        rules = self._thresholds.conversation
        narrow = all(item.value > item.floor - rules.confirm_within for item in verdict.violations)
        if not rules.confirm or not verdict.violations or not narrow:
            return verdict
        fresh = [CONFIRMATION * (index + 1) + repeat for index in range(rules.confirm)]
        attempts = tuple(await asyncio.gather(*(self._once(case, index) for index in fresh)))
        # A repetition without a complete score takes nothing back: only those that passed speak for the model.
        passed = sum(attempt.passed is True for attempt in attempts)
        return verdict.model_copy(update={"attempts": attempts, "confirmed": passed * 2 < len(attempts) + 1})

    async def repeat(self, case: Case, repeat: int = 0) -> Verdict:
        """Run a conversation once more as it is, beside an evaluation of it; nothing is confirmed. Errors as there."""
        return await self._once(case, REPEATED + repeat)

    async def reword(self, case: Case, spoken: Spoken, repeat: int = 0) -> Verdict:
        """Say a conversation to the target in other words, and have it judged as the original.

        Args:
            case: what the judges see.
            spoken: what the target is told.
            repeat: the evaluation it stands beside.
        """
        return await self._once(case, REWORDED + repeat, spoken)

    async def _once(self, case: Case, repeat: int, spoken: Spoken | None = None) -> Verdict:
        begun = time.monotonic()
        if self._thresholds.target.history == "reference":
            require_reference([case], self._max_turns)
        planned = min(case.length, self._max_turns or case.length)
        try:
            branch, turns = await self._converse(case, spoken or Spoken(case), planned, repeat)
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        simulated, seconds = self._target.ref.simulated or self._panel.simulated, time.monotonic() - begun
        rules = self._thresholds
        return verdicts.conclude(
            case, repeat, turns, planned, rules, branch=branch, simulated=simulated, seconds=seconds
        )

    async def _converse(
        self, case: Case, spoken: Spoken, length: int, repeat: int
    ) -> tuple[Branch | None, tuple[Turn, ...]]:
        """Return the branch that was taken, and the turns; a reply that cannot be judged ends the conversation."""
        branch: Branch | None = None
        said, heard = _along(case, spoken, None)
        replies: list[Reply] = []
        panels: list[asyncio.Task[Judged]] = []
        async with asyncio.TaskGroup() as group:
            for index in range(length):
                if index == len(said.turns):
                    branch = _branch(await panels[-1])
                    if branch is None:
                        break
                    said, heard = _along(case, spoken, branch)
                replies.append(await self._reply(heard, replies, index, repeat))
                if replies[-1].status != "ok":
                    break
                texts = [*standing(said, replies[:-1], self._thresholds.target.history), replies[-1].text]
                panels.append(group.create_task(self._panel.judge(said, texts, index, repeat)))
        return branch, tuple(_turns(heard.case, replies, [panel.result() for panel in panels]))

    async def _reply(self, spoken: Spoken, replies: Sequence[Reply], index: int, repeat: int) -> Reply:
        case = spoken.case
        messages = [Message("system", self._thresholds.target.system)] if self._thresholds.target.system else []
        history = standing(case, replies, self._thresholds.target.history)
        for user, earlier in zip(case.turns, history, strict=False):
            messages += [Message("user", user), Message("assistant", earlier)]
        messages.append(Message("user", case.turns[index]))
        context = {**case_context(case, index), **({"reworded": spoken.kind} if spoken.kind else {})}
        request = ChatRequest(tuple(messages), self._sampling, repeat=repeat, context=context)
        try:
            reply = await self._target.chat(request)
        except ProviderError as error:
            if error.trouble == "too_long":
                return Reply(text="", status="too_long", detail=f"{_TOO_LONG}: {error}")
            return Reply(text="", status="error", detail=str(error))
        if reply.status == "blocked" and self._thresholds.target.blocked_is_refusal:
            note = judge_prompt.text("blocked", case.locale)
            return reply.model_copy(update={"text": note, "status": "ok"})
        if reply.status == "ok" and index:
            added = messages[-2].content + messages[-1].content
            cut = unread(replies, added, reply)
            return reply if cut is None else reply.model_copy(update={"status": "truncated", "detail": cut})
        return reply


def _along(case: Case, spoken: Spoken, branch: Branch | None) -> tuple[Case, Spoken]:
    """Return what the judges see and what the target is told along a branch."""
    return branches.along(case, branch), Spoken(branches.along(spoken.case, branch), spoken.kind)


def _branch(judged: Judged) -> Branch | None:
    """Return the branch that the score of the last common turn chooses; without one there is none."""
    return None if judged.value is None else branches.chosen(judged.value)


def _turns(heard: Case, replies: Sequence[Reply], judged: Sequence[Judged]) -> Iterator[Turn]:
    """Yield the turns that took place; of a last reply that cannot be judged there are no scores."""
    for index, reply in enumerate(replies):
        found = judged[index]._asdict() if index < len(judged) else {}
        yield Turn(index=index, user=heard.turns[index], reply=reply, **found)
