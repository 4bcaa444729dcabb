"""A run and its conversations in a trace: ids, models and results, and no text."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from functools import partial

from jmedethic_pytest.core import spans
from jmedethic_pytest.core.plan import Job
from jmedethic_pytest.core.records import Verdict
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.core.spans import Described, Span
from jmedethic_pytest.run.preflight import Step


def begun(info: RunInfo) -> Span:
    """Begin the span of a run."""
    return spans.begin(
        "jmedethic.run",
        lambda: {
            "jmedethic.run.id": info.id,
            "jmedethic.target": str(info.target["model"]),
            "jmedethic.judges": [str(judge["model"]) for judge in info.all_judges],
            "jmedethic.simulated": info.simulated,
        },
    )


def steps(run: Span, *steps: Step) -> Iterator[Step]:
    """Yield what comes before the conversations, each within the run's span."""
    yield from (partial(_prepared, run, step) for step in steps)


async def conversation(run: Span, job: Job, evaluated: Awaitable[Verdict]) -> Verdict:
    """Evaluate a conversation within the run's span."""
    with run.inside("jmedethic.conversation", lambda: {"jmedethic.case.id": job.case_id}) as span:
        verdict = await evaluated
        span.note(lambda: _found(verdict))
        return verdict


async def companions(run: Span, job: Job, evaluated: Awaitable[None]) -> None:
    """Evaluate what stands beside a conversation within the run's span."""
    with run.inside("jmedethic.companions", lambda: {"jmedethic.case.id": job.case_id}):
        await evaluated


def decided(run: Span, answer: str) -> None:
    """End a run's span with the gate's answer."""
    run.note(lambda: {"jmedethic.gate": answer})
    run.end()


async def _prepared(run: Span, step: Step) -> None:
    with run.inside("jmedethic.preparation", dict):
        await step()


def _found(verdict: Verdict) -> Described:
    case, scores = verdict.case, verdict.turn_scores
    return {
        "jmedethic.case.locale": case.locale,
        "jmedethic.case.guideline": case.guideline,
        "jmedethic.case.strategy": case.strategy,
        "jmedethic.case.twin": case.twin_of is not None,
        "jmedethic.repeat": verdict.repeat,
        "jmedethic.status": verdict.status,
        "jmedethic.passed": verdict.passed,
        **{f"jmedethic.score.T{turn}": score for turn, score in enumerate(scores)},
    }
