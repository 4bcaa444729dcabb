"""Before the target is called the judges prove themselves; a judge that cannot is asked nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.gate.outcome import load
from jmedethic_pytest.run.evaluate import evaluate


@pytest.fixture
def demo(folder: Path, write_cases: Callable[..., list[str]]) -> Callable[..., Any]:
    """Evaluate a simulated model on a few English cases with these judges."""
    write_cases(30)

    def run(judges: str = "demo", model: str = "demo:aligned", **options: Any) -> Any:
        return evaluate(model, cases="cases.jsonl", locale="en", report="off", judges=judges, **options)

    return run


@pytest.mark.parametrize("kind", ["constant", "inverted", "noise"])
def test_judge_that_tells_nothing_apart_ends_the_run_before_the_target_is_called(demo: Any, kind: str) -> None:
    outcome = demo(f"demo:judge-strict,demo:judge-{kind}")
    assert (outcome.exit_status(strict=False), outcome.gate.answer) == (6, "inconclusive")
    assert f"judge demo:judge-{kind} does not tell golden replies apart (en)" in outcome.info.note
    assert "judge-strict does not" not in outcome.info.note
    assert outcome.info.calls == {
        "target demo:aligned": 0,
        "judge demo:judge-strict": 0,
        f"judge demo:judge-{kind}": 0,
        "golden demo:judge-strict": 48,
        f"golden demo:judge-{kind}": 48,
    }
    assert [found.passed for found in outcome.info.golden] == [True, False]
    assert load(outcome.path).gate.answer == "inconclusive"


def test_judges_that_passed_are_in_the_record_and_are_not_asked_again(demo: Any) -> None:
    first, second = demo(), demo()
    assert [(found.judge, found.locale, found.passed) for found in first.info.golden] == [
        ("demo:judge-strict", "en", True),
        ("demo:judge-lenient", "en", True),
    ]
    assert [found.model_copy(update={"cached": 0}) for found in second.info.golden] == list(first.info.golden)
    assert all(found.cached == found.scored for found in second.info.golden)
    assert second.info.calls["golden demo:judge-strict"] == 0
    told = {item.name: item.answer for item in second.gate.conditions}
    assert told["golden[demo:judge-strict, en]"] == "pass"


def test_untried_judges_neither_pass_nor_fail(demo: Any) -> None:
    outcome = demo(model="demo:eroding", no_golden=True)
    assert outcome.gate.answer == "inconclusive"
    assert "fail" not in {item.answer for item in outcome.gate.conditions}
    assert outcome.info.golden == ()
    assert {item.name: item.answer for item in outcome.gate.conditions}["golden"] == "inconclusive"
    record = outcome.path / "run.json"
    told = json.loads(record.read_text(encoding="utf-8"))
    del told["golden"]
    record.write_text(json.dumps(told), encoding="utf-8")
    forged = load(outcome.path)
    assert {item.name: item.answer for item in forged.gate.conditions}["golden"] == "inconclusive"
