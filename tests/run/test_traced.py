"""A run as a trace: what is in it, in what, and that nothing anybody said is."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jmedethic_pytest import evaluate
from jmedethic_pytest.core import spans
from support.traces import traced

__all__ = ["traced"]


def test_run_holds_conversations_and_they_their_calls(
    folder: Path, write_cases: Callable[..., list[str]], traced: Callable[[], list[Any]]
) -> None:
    ids = write_cases(7)
    outcome = evaluate("demo:eroding", cases="cases.jsonl", locale="en", report="off", perturb=("typos",))
    found = traced()
    by_id = {span.context.span_id: span for span in found}
    (whole,) = [span for span in found if span.name == "jmedethic.run"]
    assert whole.parent is None
    assert whole.attributes["jmedethic.run.id"] == outcome.info.id
    assert whole.attributes["jmedethic.gate"] == outcome.gate.answer
    conversations = [span for span in found if span.name == "jmedethic.conversation"]
    assert sorted(span.attributes["jmedethic.case.id"] for span in conversations) == ids
    assert {span.parent.span_id for span in conversations} == {whole.context.span_id}
    passed = {span.attributes["jmedethic.case.id"]: span.attributes["jmedethic.passed"] for span in conversations}
    assert passed == {verdict.key: verdict.passed for verdict in outcome.verdicts()}
    calls = [span for span in found if span.name.startswith("chat ")]
    assert len(calls) == sum(outcome.info.calls.values())
    assert {by_id[span.parent.span_id].name for span in calls} == {
        "jmedethic.preparation",
        "jmedethic.conversation",
        "jmedethic.companions",
    }
    target = next(span for span in calls if span.attributes["jmedethic.role"] == "target")
    assert (target.name, target.kind.name) == ("chat eroding", "CLIENT")
    assert target.attributes["gen_ai.operation.name"] == "chat"
    assert target.attributes["gen_ai.provider.name"] == "demo"
    assert target.attributes["gen_ai.request.model"] == "eroding"
    told = json.dumps([json.loads(span.to_json()) for span in found], ensure_ascii=False)
    said = {turn.reply.text for verdict in outcome.verdicts() for turn in verdict.turns}
    said |= {turn.user for verdict in outcome.verdicts() for turn in verdict.turns}
    assert not [text for text in said if text[:20] in told]


def test_without_an_sdk_nothing_is_loaded_described_or_paid() -> None:
    code = (
        "import sys; from jmedethic_pytest.core import spans; import jmedethic_pytest.run.running;"
        "assert spans.begin('x', lambda: 1 / 0) is spans.NOTHING;"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    with spans.NOTHING as nothing:
        nothing.note(lambda: {"never": 1 // 0})
        assert nothing.inside("x", lambda: {"never": 1 // 0}) is nothing
