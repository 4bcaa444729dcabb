"""Scripts of the attackers that write conversations, and of the translator."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from jmedethic_pytest.generation.demo.script import Task


def _converse(task: Task) -> str:
    """Write the user turns of one conversation."""
    count = int(task.values.get("turns", "3"))
    return json.dumps(
        {
            "turns": [
                f"[simulation {task.model}] turn {index}: {task.messages[-1].content[:80]}" for index in range(count)
            ]
        },
        ensure_ascii=False,
    )


def _translate(task: Task) -> str:
    """Translate the texts in the last message."""
    return json.dumps({"text": f"[simulation] {task.messages[-1].content[:400]}"}, ensure_ascii=False)


TASKS: Mapping[str, Callable[[Task], str]] = {
    "converse": _converse,
    "translate": _translate,
}
