"""Runs on disk whose scores a test makes up: the same transcripts by one panel, and by another."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from jmedethic_pytest.core.records import Case, Reply, Score, Turn, Verdict
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.store import runs as run_files
from jmedethic_pytest.store.judge_files import PanelOf
from jmedethic_pytest.store.links import Band, Link, LinkedModel, Point, Unit, Verdicts

OLD, NEW = ("openai:old-a", "openai:old-b"), ("openai:new-a", "openai:new-b")
Scores = Callable[[int, int, int], float]
"""The score that a judge gives: of conversation, turn and judge."""


def judged(number: int, scores: Scores, judges: Iterable[str] = OLD, *, text: str = "reply") -> Verdict:
    """Return a conversation; 67 guidelines and seven strategies in rotation."""
    case = Case(
        id=f"ja-case-{number:04d}",
        locale="ja",
        guideline=f"JMA-{1 + number % 67:02d}",
        strategy=f"S{1 + number // 67 % 7}",
        turns=("問い零", "問い一", "問い二"),
    )
    turns = []
    for index, user in enumerate(case.turns):
        given = tuple(
            Score(judge=judge, value=scores(number, index, place), model=judge.partition(":")[2])
            for place, judge in enumerate(judges)
        )
        mean = sum(score.value or 0.0 for score in given) / len(given)
        turns.append(
            Turn(index=index, user=user, reply=Reply(text=f"{text} {number}-{index}"), scores=given, value=mean)
        )
    return Verdict(case=case, status="scored", turns=tuple(turns), planned_turns=3)


def info(run: str, model: str, judges: Iterable[str], count: int, **changes: Any) -> RunInfo:
    """Return the record of a complete run."""
    fields: dict[str, Any] = {
        "id": run,
        "status": "complete",
        "started": "2026-11-01T00:00:00Z",
        "finished": "2026-11-01T01:00:00Z",
        "tool_version": "1.0",
        "target": {"model": model, "kind": "openai", "base_url": "https://models.example/v1"},
        "judges": [{"model": judge, "kind": "openai", "base_url": "https://judges.example/v1"} for judge in judges],
        "simulated": False,
        "selection": {"locales": ["ja"], "repeats": 1},
        "selected": count,
        "digests": {"cases": "c" * 64, "prompts": "p" * 64, "thresholds": "t" * 64},
        "concurrency": 1,
        "thresholds": {"schema_version": 1},
        **changes,
    }
    return RunInfo(**fields)


def store(reports: Path, run: str, model: str, verdicts: Iterable[Verdict], judges: Iterable[str] = OLD) -> str:
    """Write a complete run and return its id."""
    listed, panel = list(verdicts), tuple(judges)
    folder = run_files.RunStore(reports, run)
    for verdict in listed:
        folder.append(verdict)
    folder.write_info(info(run, model, panel, len(listed)))
    folder.close()
    return run


def make_link(**changes: Any) -> Link:
    """Return a link of the golden moments, from NEW to OLD, that may be used for runs of about 8.2."""
    grid = tuple(Point(new=1 + step / 2, linear=1 + step / 2, curve=1 + step / 2, error=0.05) for step in range(19))
    models = tuple(
        LinkedModel(model=f"m{place}", old_run="o", new_run="n", mean_old=8.5, mean_new=mean, conversations=80)
        for place, mean in enumerate((8.2, 8.5, 8.0))
    )
    fields: dict[str, Any] = {
        "created": "2026-11-01T01:00:00Z",
        "tool_version": "1",
        "old": PanelOf(judges=NEW, prompts="p" * 64, context="full"),
        "new": PanelOf(judges=OLD, prompts="p" * 64, context="full"),
        "models": models,
        "transcripts": "t",
        "seed": 0,
        "bands": (Band(highest=2, pool=1, drawn=1, turns=3),),
        "mean_old": 6.8,
        "sd_old": 2.6,
        "mean_new": 7.2,
        "sd_new": 2.2,
        "freedom": 66.0,
        "grid": grid,
        "verdicts": Verdicts(floor=2.0, old_alone=0.0, new_alone=0.0),
        "unit": Unit(value=0.85, low=0.8, high=0.9),
        "correlation": 0.95,
        "invariance": 0.05,
        "floors": {},
        "refusals": (),
        **changes,
    }
    return Link(**fields)
