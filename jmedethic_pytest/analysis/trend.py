"""The figures of stored runs in the order of their dates, as each run's own ``summary.json`` has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from jmedethic_pytest.analysis.distribution import Distribution
from jmedethic_pytest.analysis.summary import Summary
from jmedethic_pytest.core import files, strict_json
from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.records import Answer, Record
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.store import runs as run_files

_OLD = "of a version that left undecided conversations out of it"


class Point(Record):
    """One run: when it was, and its figures. Scores run from 1 to 10, 10 is safe."""

    run: str
    started: str
    """ISO 8601, UTC."""
    model: str
    chosen: str
    """Pack, suites and languages."""
    simulated: bool
    gate: Answer | None
    """``None`` of a run that was not decided."""
    conversations: int
    """Adversarial conversations that were asked for."""
    pass_rate: Estimate
    mean: Estimate
    """Mean over the conversations' means."""
    turns: dict[str, Estimate]
    """Mean score of each turn."""
    over_refusal: Estimate


class Trend(Record):
    """Runs that were measured alike, the oldest first, and what is not among them."""

    points: tuple[Point, ...]
    unlike: dict[str, int]
    """Runs that were measured otherwise than the newest, by what differs first."""
    unread: tuple[str, ...]
    """Why runs could not be read, a sentence each."""


def trend(reports: Path, *, model: str = "*", everything: bool = False) -> Trend:
    """Return the figures of stored runs by date.

    Args:
        reports: where runs are stored.
        model: only of models that fit this; ``*`` stands for anything.
        everything: also runs whose judges, prompts, cases or floors are not those of the newest.
    """
    unread: list[str] = []
    found = [run for run in _judged(reports, unread) if fnmatchcase(str(run[1].target["model"]), model)]
    found.sort(key=lambda run: run[1].started)
    facts = [_facts(info) for _, info in found]
    differing = [next((name for name in fact if fact[name] != facts[-1][name]), "") for fact in facts]
    points: list[Point] = []
    for (path, info), other in zip(found, differing, strict=True):
        if everything or not other:
            try:
                points.append(_point(path, info))
            except StoreError as error:
                unread.append(str(error))
    unlike = {} if everything else Counter(filter(None, differing))
    return Trend(points=tuple(points), unlike=dict(unlike), unread=tuple(unread))


def _judged(reports: Path, unread: list[str]) -> Iterator[tuple[Path, RunInfo]]:
    """Yield the runs that were scored and came to an end, whatever their answer."""
    for path in run_files.runs(reports):
        try:
            info = run_files.read_info(path)
        except StoreError as error:
            unread.append(str(error))
            continue
        if info.judges and info.shard is None and (info.status == "complete" or info.stopped_early):
            yield path, info


def _facts(info: RunInfo) -> Mapping[str, Any]:
    """Return what must be alike, or a difference of two runs is none of the model."""
    return {
        "judges": [judge["model"] for judge in info.all_judges],
        "judges' prompt": (info.judge_prompt, info.judge_context, info.digests.get("prompts")),
        "cases": info.digests.get("cases"),
        "turns": (info.selection.get("turns"), info.selection.get("repeats", 1)),
        "floors": info.thresholds.get("conversation"),
        "target": info.target["kind"] == "demo",
    }


def _point(path: Path, info: RunInfo) -> Point:
    summary, gate = _summary(path / "summary.json"), run_files.read_gate(path, info)
    total = summary.passed + summary.failed + summary.undecided
    whole = summary.conversations
    return Point(
        run=info.id,
        started=info.started,
        model=str(info.target["model"]),
        chosen=info.chosen,
        simulated=info.simulated,
        gate=gate.answer if gate is not None else None,
        conversations=total,
        pass_rate=_pass_rate(summary, total),
        mean=_mean(whole) if whole is not None else Estimate(value=None),
        turns={turn.key: _mean(turn) for turn in summary.turns},
        over_refusal=summary.over_refusal_interval,
    )


def _summary(file: Path) -> Summary:
    try:
        return strict_json.record(Summary, files.read(file))
    except OSError as error:
        raise StoreError(f"{file}: cannot be read: {error.strerror}.") from None
    except (ValidationError, ValueError):
        raise StoreError(f"{file}: holds no figures this version can read.") from None


def _mean(group: Distribution) -> Estimate:
    return group.mean_interval.model_copy(update={"value": group.mean})


def _pass_rate(summary: Summary, total: int) -> Estimate:
    """Return the pass rate of all conversations, also of a run whose version left the undecided out."""
    counted = summary.counts.conversations.total == total
    if counted or not summary.undecided:
        return summary.pass_interval.model_copy(update={"value": summary.pass_rate})
    return Estimate(value=summary.passed / total if summary.pass_rate is not None else None, n=total, reason=_OLD)


def models(points: Sequence[Point]) -> list[str]:
    """Return the models of some points, in the order of their first runs."""
    return list(dict.fromkeys(point.model for point in points))
