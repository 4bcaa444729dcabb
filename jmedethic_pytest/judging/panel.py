"""The panel: every judge scores every reply; what cannot be read is asked again, then missing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from jmedethic_pytest.config.sampling import Sampling
from jmedethic_pytest.config.tables import JudgePrompt, JudgesTable
from jmedethic_pytest.core.errors import ProviderError
from jmedethic_pytest.core.languages import Locale
from jmedethic_pytest.core.records import Case, Reply, Score, Usage
from jmedethic_pytest.core.status import ScoreStatus
from jmedethic_pytest.core.vocabulary import SHIPPED, Vocabulary
from jmedethic_pytest.judging import components, reading
from jmedethic_pytest.judging import prompt as judge_prompt
from jmedethic_pytest.judging.fence import neutralise
from jmedethic_pytest.judging.reading import Unreadable
from jmedethic_pytest.models import ChatRequest, Message, case_context, json_answer
from jmedethic_pytest.models.client import Client

_TOO_LONG = (
    "the transcript is too long for the judge: raise its context length, lower [judges] max_tokens, or show it the "
    'judged turn alone ([judges] context = "turn")'
)


class Judged(NamedTuple):
    """What judges said of one reply, and what that comes to."""

    scores: tuple[Score, ...]
    """In the order of the judges."""
    third: Score | None
    """That of the third judge, if it was asked."""
    value: float | None
    """The score of the turn, 1 to 10, 10 is safe; ``None`` if it is missing."""


class Panel:
    """Two (or more) judges that score independently of each other; or none, where replies are only collected.

    Args:
        judges: one client per judge.
        table: how they are called and combined (``[judges]``).
        vocabulary: the words of the run.
        third: who is asked where two judges lie too far apart, if anybody is.
    """

    def __init__(
        self,
        judges: Sequence[Client],
        table: JudgesTable,
        vocabulary: Vocabulary = SHIPPED,
        third: Client | None = None,
    ) -> None:
        self.vocabulary = vocabulary
        self._judges = judges
        self._third = third
        self._table = table
        self._samplings = [table.sampling(judge.ref.label) for judge in judges]
        self.simulated = any(judge.ref.simulated for judge in (*judges, *([] if third is None else [third])))
        """True if any judge is a demo simulation."""

    async def judge(self, case: Case, replies: Sequence[str], turn: int, repeat: int) -> Judged:
        """Score the reply to one turn; the third judge is asked only once the two of the panel lie too far apart."""
        scores = await self.score(case, replies, turn, repeat)
        third = None
        if self._third is not None and self._table.is_contested([score.value for score in scores]):
            request, shown = self._question(case, replies, turn, repeat)
            sampling = self._table.sampling(self._third.ref.label)
            third = await self._ask(self._third, _sampled(request, sampling), shown, case.locale)
            third = _beside(third, case, turn, self._table.prompt)
        decided = None if third is None else third.value
        return Judged(scores, third, self._table.combine([score.value for score in scores], decided))

    async def score(
        self, case: Case, replies: Sequence[str], turn: int, repeat: int, words: Vocabulary | None = None
    ) -> tuple[Score, ...]:
        """Score the reply to one turn with every judge at the same time; the order is that of the judges.

        Args:
            case: the conversation.
            replies: to its turns.
            turn: index of the judged one.
            repeat: index of the repetition.
            words: that know its guideline; those of the run by default.
        """
        if not self._judges:
            return ()
        request, shown = self._question(case, replies, turn, repeat, words)
        asking = zip(self._judges, self._samplings, strict=True)
        answers = await asyncio.gather(
            *(self._ask(judge, _sampled(request, own), shown, case.locale) for judge, own in asking)
        )
        return tuple(_beside(score, case, turn, self._table.prompt) for score in answers)

    def _question(
        self, case: Case, replies: Sequence[str], turn: int, repeat: int, words: Vocabulary | None = None
    ) -> tuple[ChatRequest, Sequence[str]]:
        """Return what every judge is asked about a reply, and the replies as they are shown."""
        table = self._table
        asked = judge_prompt.question(case, replies, turn, table.context, words or self.vocabulary, table.prompt)
        request = ChatRequest(
            asked.messages,
            self._samplings[0],
            judge_prompt.schema(table.prompt),
            repeat,
            case_context(case, turn) if self.simulated else {},
            asked.cache_ends,
        )
        return request, [neutralise(reply) for reply in replies]

    async def _ask(self, judge: Client, request: ChatRequest, shown: Sequence[str], locale: Locale) -> Score:
        """Ask one judge until its answer can be read, telling it each time what was wrong with the last one.

        Answers that come to no score are not kept: an outage that was worded as an answer must not outlast itself.
        """
        asked: list[ChatRequest] = []
        replies: list[Reply] = []
        status: ScoreStatus = "unparsable"
        problem = ""
        for _ in range(self._table.attempts):
            asked.append(request)
            try:
                reply = await judge.chat(request)
            except ProviderError as error:
                if error.trouble == "too_long":
                    return _missing(judge, "too_long", f"{_TOO_LONG}: {error}", replies)
                return _missing(judge, "error", str(error), replies)
            replies.append(reply)
            try:
                found = reading.parse(_readable(reply), shown)
            except Unreadable as error:
                status, problem = error.status, f"{error.problem}{f' ({reply.detail})' if reply.detail else ''}"
                told = judge_prompt.problem(error.key, locale)
            else:
                return _scored(judge, found, replies)
            if status == "truncated":
                longer = request.sampling.model_copy(update={"max_tokens": request.sampling.max_tokens * 2})
                request = replace(request, sampling=longer)
            else:
                again = judge_prompt.text("again", locale).format(problem=told)
                said = (Message("assistant", reply.text or "-"), Message("user", again))
                request = replace(request, messages=(*request.messages, *said))
        judge.forget(asked)
        return _missing(judge, status, problem, replies)


def _sampled(request: ChatRequest, sampling: Sampling) -> ChatRequest:
    # Not what is equal to it: of vendor parameters true equals 1, and a server may tell them apart.
    return request if request.sampling is sampling else replace(request, sampling=sampling)


def _readable(reply: Reply) -> str:
    """Return the text that may be parsed; a cut or blocked answer never is, whatever numbers stand in it.

    Some servers put the whole answer of a constrained judge into the reasoning: an object that is all of it is no
    reasoning. Nothing else in there is an answer.
    """
    if reply.status == "truncated":
        raise Unreadable("truncated", "unfinished")
    if reply.status == "blocked":
        raise Unreadable("refused", "refused")
    if reply.finish == "refusal":
        raise Unreadable("refused", "refused")
    if reply.status == "empty" and json_answer.whole(reply.reasoning) is not None:
        return reply.reasoning
    return reply.text


def _scored(judge: Client, found: reading.Judgement, replies: Sequence[Reply]) -> Score:
    return Score(
        value=found.score,
        rationale=found.rationale,
        over_refusal=found.over_refusal,
        help=found.help,
        components=found.components,
        dimensions=found.dimensions,
        **_provenance(judge, replies),
    )


def _beside(score: Score, case: Case, turn: int, prompt: JudgePrompt) -> Score:
    """Return a score with what follows from the judge's other answers under the prompt ``item``; it stays as it is."""
    if prompt == "paper" or score.value is None:
        return score
    harmless, asked = components.is_harmless(case, turn), components.ids(case)
    refused = score.help == "refused" if harmless and score.help is not None else None
    given = {name: state for name, state in score.components.items() if name in asked}
    flag = components.contradiction(score.value, given, asked)
    return score.model_copy(update={"over_refusal": refused, "components": given, "flag": flag})


def _missing(judge: Client, status: ScoreStatus, detail: str, replies: Sequence[Reply]) -> Score:
    return Score(value=None, status=status, detail=detail, **_provenance(judge, replies))


def _provenance(judge: Client, replies: Sequence[Reply]) -> dict[str, object]:
    last = replies[-1] if replies else Reply(text="")
    return {
        "judge": f"{judge.ref.label}{judge.suffix}",
        "attempts": len(replies),
        "model": last.model,
        "usage": last.usage if len(replies) <= 1 else _together([reply.usage for reply in replies]),
        "sent": last.sent,
        "cached": bool(replies) and all(reply.cached for reply in replies),
    }


def _together(used: Sequence[Usage]) -> Usage:
    return Usage(
        input=_total([usage.input for usage in used]),
        output=_total([usage.output for usage in used]),
        cached=_total([usage.cached for usage in used]),
        cache_write=_total([usage.cache_write for usage in used]),
    )


def _total(counts: Sequence[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known and len(known) == len(counts) else None
