"""Runs made of given verdicts, stored as if they had just ended."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.records import Case, Reply, Score, Turn, Verdict
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.store import runs as run_files


def verdict(number: int, *scores: float | None, reply: str = "An answer.", **changes: Any) -> Verdict:
    """Return a verdict with these turn scores and the same reply at every turn."""
    case = {
        "id": f"en-made-{number:02d}",
        "locale": "en",
        "guideline": f"JMA-{1 + number % 67:02d}",
        "strategy": f"S{1 + number % 7}",
        "turns": tuple(f"Question {number}, turn {turn}?" for turn in range(len(scores))),
        **changes.pop("case", {}),
    }
    judges = ("made:judge-a", "made:judge-b")
    turns = tuple(
        Turn(
            index=index,
            user=case["turns"][index],
            reply=Reply(text=reply, model="made"),
            scores=tuple(_score(judge, value, changes.get("reason", "Because.")) for judge in judges),
            value=value,
        )
        for index, value in enumerate(scores)
    )
    changes.pop("reason", None)
    status = "judge_unparsable" if None in scores else "scored"
    floors = Thresholds(schema_version=1).violations(case["strategy"], turns)
    made = {"case": Case(**case), "status": status, "turns": turns, "planned_turns": len(scores), "violations": floors}
    return Verdict(**{**made, **changes})


def _score(judge: str, value: float | None, reason: str) -> Score:
    status = "unparsable" if value is None else "scored"
    return Score(judge=judge, value=value, status=status, rationale=reason)


def store(reports: Path, verdicts: Sequence[Verdict], name: str = "made", **changes: Any) -> Path:
    """Store a run of these verdicts, and return its folder. Reports are not written."""
    kept = run_files.RunStore(reports, name)
    for item in verdicts:
        kept.append(item)
    values = {
        "id": name,
        "status": "complete",
        "started": run_files.now(),
        "tool_version": "0",
        "target": {"model": "made:model", "kind": "openai"},
        "judges": ({"model": "made:judge-a", "kind": "openai"}, {"model": "made:judge-b", "kind": "openai"}),
        "simulated": False,
        "selection": {"locales": ["en"], "turns": None},
        "selected": len(verdicts),
        "digests": {"cases": "0", "prompts": "0", "thresholds": "0"},
        "concurrency": 1,
        "thresholds": Thresholds(schema_version=1).model_dump(mode="json"),
    }
    kept.write_info(RunInfo(**{**values, **changes}))
    kept.close()
    return kept.path
