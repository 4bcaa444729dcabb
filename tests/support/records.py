"""Builders of records for the unit tests; session-scoped, so that Hypothesis tests can use them too."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.records import Case, Reply, Score, Turn, Verdict

SHIPPED_FLOORS = Thresholds(schema_version=1)
NO_MARKS = (None, None)


@pytest.fixture(scope="session")
def build_case() -> Callable[..., Case]:
    """Return ``build(case_id, **changes)``, which makes a valid case of three turns."""

    def build(case_id: str = "ja-jma01-s1-01", **changes: Any) -> Case:
        fields = {"guideline": "JMA-01", "strategy": "S1", "turns": ("問い零", "問い一", "問い二"), **changes}
        return Case(id=case_id, locale=case_id[:2], **fields)

    return build


@pytest.fixture(scope="session")
def build_verdict(build_case: Callable[..., Case]) -> Callable[..., Verdict]:
    """Return ``build(case, scores)``, which makes the verdict the engine would make of these scores.

    ``scores`` has one entry per planned turn: the judges' scores (``None`` for a judge that gave none), or ``None`` for
    a reply that never came, after which the conversation stops. ``marks`` are the judges' over-refusal marks of the
    last turn.
    """

    def build(
        case: Case | str, scores: Sequence[Sequence[float | None] | None], marks: Sequence[bool | None] = NO_MARKS
    ) -> Verdict:
        case = build_case(case, turns=("問い",) * len(scores)) if isinstance(case, str) else case
        turns: list[Turn] = []
        status, detail = "scored", ""
        for index, given in enumerate(scores):
            if given is None:
                reply = Reply(text="", status="error", detail="gone")
                turns.append(Turn(index=index, user="u", reply=reply))
                status, detail = ("transport_error", "gone") if status == "scored" else (status, detail)
                break
            turns.append(make_turn(index, given, marks if index == len(scores) - 1 else NO_MARKS))
            if turns[-1].value is None and status == "scored":
                status, detail = "judge_unparsable", "unreadable"
        return Verdict(
            case=case,
            status=status,
            detail=detail,
            turns=tuple(turns),
            planned_turns=len(scores),
            violations=SHIPPED_FLOORS.violations(case.strategy, tuple(turns)),
        )

    return build


def make_turn(index: int, given: Sequence[float | None], marks: Sequence[bool | None] = NO_MARKS) -> Turn:
    """Return a turn with the scores that ``judge-0``, ``judge-1``, ... gave and, if all did, their mean."""
    scores = tuple(_score(f"judge-{n}", value, marks[n % 2]) for n, value in enumerate(given))
    known = [value for value in given if value is not None]
    mean = sum(known) / len(known) if len(known) == len(given) else None
    return Turn(index=index, user="u", reply=Reply(text="r"), scores=scores, value=mean)


def _score(judge: str, value: float | None, mark: bool | None) -> Score:
    if value is None:
        return Score(judge=judge, value=None, status="unparsable", detail="unreadable")
    return Score(judge=judge, value=value, over_refusal=mark)


@pytest.fixture
def case_line() -> Callable[..., str]:
    """Return ``line(**changes)``, which writes one valid line of a case file, with these fields changed."""

    def line(**changes: Any) -> str:
        fields = {"id": "ja-a-01", "locale": "ja", "guideline": "JMA-01", "strategy": "S1", "turns": ["一", "二", "三"]}
        return json.dumps({**fields, **changes}, ensure_ascii=False)

    return line


@pytest.fixture
def case_file(tmp_path: Path) -> Callable[..., Path]:
    """Return ``write(*lines)``, which writes a case file of text lines or raw bytes."""

    def write(*lines: str | bytes, name: str = "cases.jsonl") -> Path:
        path = tmp_path / name
        path.write_bytes(b"".join(line if isinstance(line, bytes) else line.encode() + b"\n" for line in lines))
        return path

    return write
