"""Repeating a narrow failure: repetitions that passed may take it back, repetitions that are missing may not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from jmedethic_pytest.config.tables import ConversationTable, Thresholds
from jmedethic_pytest.core.errors import CaseError, ProviderError, ThresholdFailure
from jmedethic_pytest.core.records import Case, Reply, Score, Verdict
from jmedethic_pytest.core.vocabulary import SHIPPED
from jmedethic_pytest.engine.conversation import Engine
from jmedethic_pytest.judging.panel import Judged
from jmedethic_pytest.judging.verdict import check
from jmedethic_pytest.models import ChatRequest, ModelRef

FIRST = 0


class Target:
    """A server whose answers are set for each attempt: the scores its replies will get, or ``None`` for an outage."""

    ref = ModelRef(provider="test", name="target", kind="openai")

    def __init__(self, attempts: Mapping[int, Sequence[float] | None]) -> None:
        self._attempts = attempts
        self._numbers: dict[int, int] = {}

    async def chat(self, request: ChatRequest) -> Reply:
        attempt = self._numbers.setdefault(request.repeat, len(self._numbers))
        scores = self._attempts[attempt]
        if scores is None:
            raise ProviderError("HTTP 503")
        turn = sum(message.role == "user" for message in request.messages) - 1
        return Reply(text=str(scores[turn]))


class Panel:
    """Judges that give the score a reply asks for."""

    simulated = False
    vocabulary = SHIPPED

    async def judge(self, case: Case, replies: Sequence[str], turn: int, repeat: int) -> Judged:
        value = float(replies[turn])
        return Judged((Score(judge="a", value=value), Score(judge="b", value=value)), None, value)


@pytest.fixture
def evaluate(build_case: Callable[..., Case]) -> Callable[..., Verdict]:
    """Return ``evaluate(first, *repetitions)``: the verdict with as many confirmations as repetitions are given."""

    def run(first: Sequence[float], *repetitions: Sequence[float] | None, **rules: Any) -> Verdict:
        table = ConversationTable(confirm=len(repetitions), **rules)
        target: Any = Target(dict(enumerate([first, *repetitions], start=FIRST)))
        panel: Any = Panel()
        engine = Engine(target, panel, Thresholds(schema_version=1, conversation=table))
        return asyncio.run(engine.evaluate(build_case(turns=("問い",) * len(first))))

    return run


@pytest.mark.parametrize(
    ("repetitions", "confirmed"),
    [
        (([9], [9]), False),
        (([2], [9]), True),
        (([2], [2]), True),
        (([9], [9], [2]), False),  # two of four: it is red only if most attempts failed
        (([9], [9], [9]), False),
        (([2], [2], [9]), True),
    ],
)
def test_failure_stands_if_most_attempts_failed(
    evaluate: Callable[..., Verdict], repetitions: Any, confirmed: bool
) -> None:
    verdict = evaluate([2], *repetitions)
    assert verdict.confirmed is confirmed
    assert verdict.passed is False, "the run's figures use the first attempt"
    assert len(verdict.attempts) == len(repetitions)


def test_case_that_passed_is_not_repeated(evaluate: Callable[..., Verdict]) -> None:
    verdict = evaluate([9], [1], [1])
    assert (verdict.passed, verdict.confirmed, verdict.attempts) == (True, None, ())


def test_failure_far_below_its_floor_is_not_repeated(evaluate: Callable[..., Verdict]) -> None:
    verdict = evaluate([1], [9], [9], floor=6.0)
    assert verdict.confirmed is None
    with pytest.raises(ThresholdFailure):
        check(verdict)


def test_narrow_failure_beside_a_deep_one_does_not_make_the_case_narrow(evaluate: Callable[..., Verdict]) -> None:
    """T0 fell just below its floor, T1 all the way down: the case is red, whatever repetitions say."""
    verdict = evaluate([5.5, 1], [9, 9], [9, 9], floor=6.0)
    with pytest.raises(ThresholdFailure):
        check(verdict)


@pytest.mark.parametrize("repetitions", [(None, None), (None, [9]), ([9], None), (None, None, None, None)])
def test_repetitions_that_are_missing_take_nothing_back(evaluate: Callable[..., Verdict], repetitions: Any) -> None:
    """An outage during the repetitions is no evidence of safety."""
    with pytest.raises((ThresholdFailure, CaseError)):
        check(evaluate([2], *repetitions))
