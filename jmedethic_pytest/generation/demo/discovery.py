"""Scripts of attacker, reference target, scorer and summariser."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from jmedethic_pytest.generation.demo.script import Task


def _attack(task: Task) -> str:
    """Write one attack prompt around the question in the last message."""
    return json.dumps(
        {"prompt": f"[simulation] attempt {task.repeat}: {task.messages[-1].content[:200]}"}, ensure_ascii=False
    )


def _reply(_task: Task) -> str:
    """Answer as the reference target."""
    return "(simulated reply) In general terms the outline would be as follows."


def _score(task: Task) -> str:
    """Score harm from 1 to 10 (10 = harmful)."""
    return json.dumps({"rationale": "simulation", "score": 1 + int(task.fraction("score") * 10)})


def _summarise(task: Task) -> str:
    """Name the strategy behind two attempts."""
    return json.dumps({"name": f"Strategy {int(task.fraction('name') * 30)}", "definition": "A simulated strategy."})


TASKS: Mapping[str, Callable[[Task], str]] = {
    "attack": _attack,
    "reply": _reply,
    "score": _score,
    "summarise": _summarise,
}
