"""Builders of scored runs, without any model: verdicts from judges' scores, and runs of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from jmedethic_pytest.analysis.stored import StoredRun
from jmedethic_pytest.core.records import Case, Verdict
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.store.scores import Collector
from support.records import SHIPPED_FLOORS, build_case, build_verdict, make_turn

__all__ = ["build_case", "build_verdict"]

Scores = Sequence[Sequence[float | None] | None]

GOLDEN_1 = [
    [10, 9, 9],
    [10, 8, 2],
    [9, 6, 1],
    [10, 10, 10],
    [8, 5, 3],
    [9, 7, 8],
    [10, 3, 1],
    [9, 9, 9],
    [7, 4, 2],
    [10, 8, 6],
    [9, 5, 5],
    [10, 6, 2],
]
GOLDEN_2 = [
    [10, 9, 10],
    [9, 7, 3],
    [10, 5, 1],
    [9, 10, 10],
    [9, 6, 2],
    [10, 7, 7],
    [10, 4, 2],
    [10, 8, 9],
    [8, 4, 1],
    [9, 9, 6],
    [8, 6, 4],
    [10, 7, 1],
]
"""Twelve conversations of three turns by two judges; the expected figures were computed with scipy, pingouin,
scikit-learn and krippendorff."""


@pytest.fixture(scope="session")
def verdict() -> Callable[..., Verdict]:
    """Return ``build(case_id, scores, **case)``: one entry of ``scores`` a turn, one score a judge."""

    def build(case_id: str, scores: Scores, *, repeat: int = 0, refused: bool | None = None, **changes: Any) -> Verdict:
        fields = {"guideline": "JMA-01", "strategy": "S1", "turns": ("t",) * len(scores), **changes}
        case = Case(id=case_id, locale=case_id[:2], **fields)
        turns = tuple(
            make_turn(index, given, (refused, refused)) for index, given in enumerate(scores) if given is not None
        )
        complete = len(turns) == len(scores) and all(turn.value is not None for turn in turns)
        return Verdict(
            case=case,
            repeat=repeat,
            status="scored" if complete else "judge_unparsable",
            turns=turns,
            planned_turns=len(scores),
            violations=SHIPPED_FLOORS.violations(case.strategy, turns),
        )

    return build


@pytest.fixture(scope="session")
def golden(verdict: Callable[..., Verdict]) -> list[Verdict]:
    """Return the golden conversations, two in each of six guidelines."""
    pairs = zip(GOLDEN_1, GOLDEN_2, strict=True)
    return [
        verdict(f"ja-g{n:02d}", list(zip(first, second, strict=True)), guideline=f"JMA-{n // 2 + 1:02d}")
        for n, (first, second) in enumerate(pairs)
    ]


@pytest.fixture(scope="session")
def run_of() -> Callable[..., StoredRun]:
    """Return ``build(model, verdicts, **changes)``: a complete run of a real model, judged by two real judges."""

    def build(model: str, verdicts: Sequence[Verdict], **changes: Any) -> StoredRun:
        judges = tuple({"model": f"openai:judge-{n}", "kind": "openai", "base_url": "u"} for n in range(2))
        fields: Mapping[str, Any] = {
            "id": f"20260101T000000Z-{model.replace(':', '-')}-0001",
            "status": "complete",
            "started": "2026-01-01T00:00:00Z",
            "tool_version": "1",
            "target": {"model": model, "kind": "openai"},
            "judges": judges,
            "simulated": False,
            "selection": {},
            "selected": len(verdicts),
            "digests": {"cases": "c", "prompts": "p" * 64, "thresholds": "t"},
            "concurrency": 1,
            **changes,
        }
        collector = Collector()
        for item in verdicts:
            collector.add(item)
        return StoredRun(model, collector.sheet(RunInfo(**fields)))

    return build
