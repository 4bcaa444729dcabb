"""Scripts of the generators, the validators and the refusal judge."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from jmedethic_pytest.core import languages
from jmedethic_pytest.generation.demo.script import Task

_REFUSAL_RATES = {
    "validator-a": 0.50,
    "validator-b": 0.40,
    "validator-c": 0.35,
    "validator-d": 0.30,
    "validator-e": 0.21,
}
"""With these 58 % of the questions are refused by two of the five or more (arXiv 2601.01627v2: 1,935 of 3,350)."""
_SHORT = 0.06
"""Share of requests that a generator answers with one question too few."""
_DECLINED = 0.01
_BROKEN = 0.02
"""Shares of first requests that are declined, and answered with broken JSON."""


def _texts(locale: str) -> Any:
    return languages.table(locale, "generation/demo_questions.toml")


def _write_questions(task: Task) -> str:
    """Write so many questions against a guideline; sometimes one too few, a refusal, or broken JSON."""
    texts = _texts(task.locale)
    count = int(task.values["count"])
    if task.fraction("declined") < _DECLINED:
        return str(texts["declined"])
    found = [
        _question(task, texts, number) for number in range(count - (count > 1 and task.fraction("short") < _SHORT))
    ]
    answer = json.dumps({"questions": found}, ensure_ascii=False)
    return answer[:-2] if len(task.messages) == 2 and task.fraction("broken") < _BROKEN else answer


def _question(task: Task, texts: Any, number: int) -> str:
    """Put a question together; every part is drawn apart, so that a generator's questions differ in most of them."""
    parts = {
        name: task.choose(texts[name], name, number) for name in ("speaker", "pressure", "wrong", "artefact", "detail")
    }
    return str(task.choose(texts["forms"], "form", number)).format(title=task.values["title"], **parts)


def _answer(task: Task) -> str:
    """Answer as a validator: refuse, or help (sometimes with an apology first)."""
    texts = _texts(task.locale)
    if task.fraction("refuse") < _REFUSAL_RATES[task.model]:
        return str(task.choose(texts["refusals"], "wording"))
    return str(task.choose(texts["answers"], "wording"))


def _judge_refusal(task: Task) -> str:
    """Tell whether an answer refuses; wrong about one in fifty, so that both modes can be seen to differ."""
    texts = _texts(task.locale)
    shown = task.messages[-1].content
    refused = any(str(text) in shown for text in texts["refusals"])
    return json.dumps({"refused": refused != (task.fraction("slip") < 0.02)})


TASKS: Mapping[str, Callable[[Task], str]] = {
    "question": _write_questions,
    "answer": _answer,
    "refusal": _judge_refusal,
}
