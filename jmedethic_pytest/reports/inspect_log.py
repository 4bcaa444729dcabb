"""A stored run as a log of Inspect (``inspect view``): one sample a conversation, one score with a column a turn.

The log holds what the model and the judges wrote, unless the run was made with ``--redact``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jmedethic_pytest.core.errors import StoreError, not_installed
from jmedethic_pytest.core.records import Turn, Verdict
from jmedethic_pytest.core.vocabulary import Vocabulary

if TYPE_CHECKING:
    from jmedethic_pytest.gate.outcome import Outcome

SCORER = "panel"
_STATUS = {"complete": "success", "incomplete": "cancelled", "error": "error", "started": "started"}


def write(folder: Path, outcome: Outcome, verdicts: Iterable[Verdict]) -> Path:
    """Write ``<run>.eval``.

    Args:
        folder: where; made if it is not there.
        outcome: the run's figures.
        verdicts: its conversations.

    Returns:
        The file, to be opened with ``inspect view --log-dir FOLDER``.

    Raises:
        ConfigError: if inspect-ai is not installed.
        StoreError: if the file cannot be written.
    """
    logs = _inspect("log")
    file = folder / f"{outcome.info.id}.eval"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        part = folder / f"part-{outcome.info.id}.eval"
        logs.write_eval_log(_log(outcome, list(verdicts)), str(part), format="eval")
        part.replace(file)
    except OSError as error:
        raise StoreError(f"{file}: cannot be written: {error.strerror}. Give another folder (--output).") from None
    return file


def _inspect(module: str) -> Any:
    try:
        return import_module(f"inspect_ai.{module}")
    except ImportError:
        raise not_installed("--format inspect", "inspect-ai", "inspect") from None


def _log(outcome: Outcome, verdicts: list[Verdict]) -> Any:
    logs, info = _inspect("log"), outcome.info
    samples = [_sample(verdict, info.words) for verdict in verdicts]
    ids = [sample.id for sample in samples]
    dataset = logs.EvalDataset(name="jmedethic", samples=len(samples), sample_ids=ids)
    spec = logs.EvalSpec(
        eval_id=info.id,
        run_id=info.id,
        created=info.started,
        task="jmedethic",
        task_id=info.id,
        model=str(info.target["model"]),
        dataset=dataset,
        config=logs.EvalConfig(epochs=1 + max((verdict.repeat for verdict in verdicts), default=0)),
        packages={"jmedethic-pytest": info.tool_version},
        tags=["simulation"] if info.simulated else [],
        metadata={
            "gate": outcome.gate.answer,
            "judges": [str(judge["model"]) for judge in info.judges],
            "direction": "scores run from 1 to 10; 10 is safe",
            "digests": dict(info.digests),
        },
    )
    metrics = {name: logs.EvalMetric(name=name, value=value) for name, value in _metrics(outcome)}
    score = logs.EvalScore(name=SCORER, scorer=SCORER, metrics=metrics)
    scored = sum(verdict.status == "scored" for verdict in verdicts)
    results = logs.EvalResults(total_samples=len(samples), completed_samples=scored, scores=[score])
    stats = logs.EvalStats(started_at=info.started, completed_at=info.finished or info.started)
    return logs.EvalLog(status=_STATUS[info.status], eval=spec, samples=samples, results=results, stats=stats)


def _metrics(outcome: Outcome) -> Iterator[tuple[str, float]]:
    """Yield the figures that exist; one that is missing has no place in a log of numbers."""
    figures = {f"mean_{group.key}": group.mean for group in outcome.summary.turns}
    figures |= {"pass_rate": outcome.summary.pass_rate, "over_refusal": outcome.summary.over_refusal}
    yield from ((name, value) for name, value in figures.items() if value is not None)


def _sample(verdict: Verdict, vocabulary: Vocabulary) -> Any:
    model, case = _inspect("model"), verdict.case
    messages = [message for turn in verdict.turns for message in _messages(turn)]
    last = verdict.turns[-1].reply.text if verdict.turns else ""
    strategy = vocabulary.strategy(case.strategy)
    return _inspect("log").EvalSample(
        id=case.id,
        epoch=1 + verdict.repeat,
        input=case.turns[0],
        target="",
        messages=messages,
        output=model.ModelOutput.from_content(verdict.turns[-1].reply.model if verdict.turns else "", last),
        scores={SCORER: _score(verdict)},
        total_time=verdict.seconds,
        metadata={
            "status": verdict.status,
            "detail": verdict.detail,
            "guideline": case.guideline,
            "strategy": f"{case.strategy} {strategy.name['en']}",
            "locale": case.locale,
            "twin": case.twin_of is not None,
            "branch": verdict.branch,
            "failed": None if verdict.passed is None else not verdict.passed,
        },
    )


def _messages(turn: Turn) -> Iterator[Any]:
    model = _inspect("model")
    yield model.ChatMessageUser(content=turn.user)
    yield model.ChatMessageAssistant(
        content=turn.reply.text or f"[{turn.reply.status}]", model=turn.reply.model or None
    )


def _score(verdict: Verdict) -> Any:
    """Return the panel's means by turn; a missing one stays missing, never a number."""
    value = {f"T{turn}": score for turn, score in enumerate(verdict.turn_scores)}
    lines = []
    judges: dict[str, list[float | None]] = {}
    for turn in verdict.turns:
        for score in turn.all_scores:
            judges.setdefault(score.judge, [None] * verdict.planned_turns)[turn.index] = score.value
            given = score.status if score.value is None else f"{score.value:g}"
            lines.append(f"T{turn.index} {score.judge}: {given}. {score.rationale or score.detail}")
    return _inspect("scorer").Score(value=value, explanation="\n".join(lines), metadata={"judges": judges})
