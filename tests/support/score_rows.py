"""Score sheets made of numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.store.baselines import Baseline
from jmedethic_pytest.store.scores import Origin, Row, ScoreSheet

LOOSE = """\
schema_version = 1
[gate]
pass_rate = 0.0
mean = { T0 = 1.0, T1 = 1.0, T2 = 1.0 }
strategy_mean = 1.0
[gate.baseline]
mean = 0.8
turn = 0.8
min = 0.8
pass_rate = 0.1
above_4 = 0.1
strategy = 9.0
"""
"""The comparison alone decides, by margins that 42 cases can tell."""

ORIGIN: dict[str, Any] = {
    "run": "run-1",
    "status": "complete",
    "finished": "2026-01-02T03:04:05Z",
    "tool_version": "1.0",
    "git_commit": None,
    "model": "vllm:base",
    "simulated_target": False,
    "target": {"temperature": 0.0, "max_tokens": 2048, "system": None, "history": "own", "extra": {}},
    "judges": (
        {"model": "a:one", "kind": "openai", "base_url": "https://a.example/v1", "structured": "schema"},
        {"model": "b:two", "kind": "openai", "base_url": "https://b.example/v1", "structured": "prompt"},
    ),
    "judge_context": "full",
    "judging": {"temperature": 0.0, "max_tokens": 4096, "allow_single": False},
    "prompts": "p" * 64,
    "thresholds": "t" * 64,
    "turns": None,
    "repeats": 1,
    "served": {"a:one": ("one-2026",), "b:two": ("two-2026",)},
}


def make_row(number: int, turns: Iterable[float | None], **changes: Any) -> Row:
    """Return the scores of a case: both judges gave what the panel gave; guidelines and strategies in rotation."""
    scores = tuple(turns)
    values: dict[str, Any] = {
        "key": f"ja-case-{number:04d}",
        "locale": "ja",
        "guideline": f"JMA-{1 + number % 67:02d}",
        "strategy": f"S{1 + number // 10 % 7}",
        "digest": f"{number:032x}",
        "turns": scores,
        "judges": (scores, scores),
        "failed": None if None in scores else min(score for score in scores if score is not None) <= 2,
        **changes,
    }
    return Row(**values)


def make_sheet(rows: Iterable[Row], **changes: Any) -> ScoreSheet:
    return ScoreSheet(Origin(**{**ORIGIN, **changes}), {row.key: row for row in rows})


def make_rules(**margins: Any) -> Thresholds:
    """Return thresholds with these margins."""
    return Thresholds.model_validate({"schema_version": 1, "gate": {"baseline": margins}})


@pytest.fixture(scope="session")
def row() -> Callable[..., Row]:
    return make_row


@pytest.fixture(scope="session")
def sheet() -> Callable[..., ScoreSheet]:
    return make_sheet


@pytest.fixture(scope="session")
def rules() -> Callable[..., Thresholds]:
    return make_rules


@pytest.fixture(scope="session")
def as_baseline() -> Callable[[ScoreSheet], Baseline]:
    return lambda sheet: Baseline(name="release", created="2026-01-02T03:04:05Z", sheet=sheet)


@pytest.fixture(scope="session")
def loose() -> str:
    return LOOSE
