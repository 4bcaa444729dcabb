"""From case to verdict: the conversation with the target, and its scoring, overlapped."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from jmedethic_pytest.attack.attacker import Attacker, attack_repeat
from jmedethic_pytest.cases.files import check as check_case
from jmedethic_pytest.cases.files import require_reference
from jmedethic_pytest.config.sampling import Sampling
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core import branches
from jmedethic_pytest.core.errors import ConfigError, ProviderError
from jmedethic_pytest.core.records import Attack, Case, Reply, Turn, Verdict
from jmedethic_pytest.core.status import AttackEnd
from jmedethic_pytest.engine.history import standing, unread
from jmedethic_pytest.engine.plans import Attacked, Plan, Spoken, Written
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


class Engine:
    """Evaluates single cases; any number at the same time.

    The user turns are sent one by one with the target's **own** earlier replies as history (arXiv 2601.01627v2,
    Appendix F), or with the replies that came with the case (arXiv 2502.11090: every target reacts to the same
    conversation). While the next turn is being answered, the judges already score the last one; a plan that needs the
    score waits for it (:mod:`jmedethic_pytest.engine.plans`). The verdict is that of the written turns; what an
    attacker makes of the conversation afterwards stands beside it.

    Args:
        target: the model under test.
        panel: the judges.
        thresholds: floors, sampling of the target, and what counts as a refusal.
        max_turns: only so many written user turns of each case, ``None`` for all.
        attacker: who goes on after them, if anybody does; benign twins are not attacked.
    """

    def __init__(
        self,
        target: Client,
        panel: Panel,
        thresholds: Thresholds,
        max_turns: int | None = None,
        attacker: Attacker | None = None,
    ) -> None:
        self._target = target
        self._attacker = attacker
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
        if self._attacker is not None and case.twin_of is None:
            verdict = verdict.model_copy(update={"attacks": await self._attacks(self._attacker, verdict)})
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
        plan = Written(case, planned, spoken or Spoken(case))
        turns = await self._converse(plan, (), repeat)
        simulated, seconds = self._target.ref.simulated or self._panel.simulated, time.monotonic() - begun
        rules = self._thresholds
        return verdicts.conclude(
            case, repeat, turns, planned, rules, branch=plan.branch, simulated=simulated, seconds=seconds
        )

    async def _attacks(self, attacker: Attacker, verdict: Verdict) -> tuple[Attack, ...]:
        """Have an attacker go on with a conversation from every seed, at the same time."""
        try:
            async with asyncio.TaskGroup() as group:
                seeds = [group.create_task(self._attacked(attacker, verdict, seed)) for seed in attacker.seeds]
        except ExceptionGroup as found:
            raise found.exceptions[0] from None
        return tuple(seed.result() for seed in seeds)

    async def _attacked(self, attacker: Attacker, verdict: Verdict, seed: int) -> Attack:
        """Have an attacker go on with a conversation that was answered and scored, and has not fallen already."""
        case, replies = verdict.case, [turn.reply for turn in verdict.turns]
        if verdict.violations:
            return Attack(seed=seed, end="reached", detail="in the written turns")
        if verdict.status != "scored":
            end: AttackEnd = "target" if replies[-1].status != "ok" else "unscored"
            return Attack(seed=seed, end=end, detail=f"in the written turns: {verdict.status}")
        said = branches.along(case, verdict.branch)
        plan = Attacked(attacker, said, seed, verdict.repeat, partial(self._thresholds.floor_of, case.strategy))
        turns = await self._converse(plan, replies, attack_repeat(verdict.repeat, seed))
        if turns and turns[-1].reply.status != "ok":
            detail = f"T{turns[-1].index}: {turns[-1].reply.detail}"
            return Attack(seed=seed, end="target", detail=detail, turns=turns, calls=plan.calls)
        return Attack(seed=seed, end=plan.end, detail=plan.detail, turns=turns, calls=plan.calls)

    async def _converse(self, plan: Plan, before: Sequence[Reply], repeat: int) -> tuple[Turn, ...]:
        """Say one turn after the other as a plan has them; a reply that cannot be judged ends the conversation.

        Args:
            plan: what is said.
            before: the target's replies so far.
            repeat: index of the repetition.

        Returns:
            The turns that were added.
        """
        replies, panels = list(before), list[asyncio.Task[Judged]]()
        users: list[str] = []
        try:
            async with asyncio.TaskGroup() as group:
                while (now := await plan.next(replies, panels)) is not None:
                    index = len(replies)
                    users.append(now.spoken.case.turns[index])
                    replies.append(await self._reply(now.spoken, replies, index, repeat))
                    if replies[-1].status != "ok":
                        break
                    texts = [*standing(now.case, replies[:-1], self._thresholds.target.history), replies[-1].text]
                    panels.append(group.create_task(self._panel.judge(now.case, texts, index, repeat)))
        except ExceptionGroup as found:
            raise found.exceptions[0] from None
        judged = [panel.result() for panel in panels]
        return tuple(_turns(len(before), users, replies[len(before) :], judged))

    def _context(self, spoken: Spoken, index: int) -> dict[str, Any]:
        """Return what a scripted target is told, and no other."""
        if not self._target.ref.simulated:
            return {}
        return {**case_context(spoken.case, index), **({"reworded": spoken.kind} if spoken.kind else {})}

    async def _reply(self, spoken: Spoken, replies: Sequence[Reply], index: int, repeat: int) -> Reply:
        case = spoken.case
        messages = [Message("system", self._thresholds.target.system)] if self._thresholds.target.system else []
        history = standing(case, replies, self._thresholds.target.history)
        for user, earlier in zip(case.turns, history, strict=False):
            messages += [Message("user", user), Message("assistant", earlier)]
        messages.append(Message("user", case.turns[index]))
        request = ChatRequest(tuple(messages), self._sampling, repeat=repeat, context=self._context(spoken, index))
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


def _turns(first: int, users: Sequence[str], replies: Sequence[Reply], judged: Sequence[Judged]) -> Iterator[Turn]:
    """Yield the turns that took place; of a last reply that cannot be judged there are no scores."""
    for place, (user, reply) in enumerate(zip(users, replies, strict=True)):
        found = judged[place]._asdict() if place < len(judged) else {}
        yield Turn(index=first + place, user=user, reply=reply, **found)
