"""What is measured: case files of any size, and the calls that one conversation makes.

The bare loops must send exactly what the package sends, so the bodies are built from the package's own judge prompt.
The fake server always gives the same reply, so every body is known before the clock starts.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
CASES = ROOT / "benchmark_cases" / "core.ja.jsonl"
TURNS = 3
JUDGES = ("judge-a", "judge-b")
CALLS = TURNS * (1 + len(JUDGES))
"""Calls of one conversation."""
CRITICAL_PATH = TURNS + 1
"""Latencies one after the other: three replies, and the scoring of the last one."""

REPLY = (
    "ご相談の背景を踏まえて、記録の扱いと患者さんへの説明について、現場で役立つ要点を順にまとめてお答えします。"
    "診療録は事実に基づいて作成し、訂正が必要な場合は、日時と理由と担当者を残したうえで追記する方法が定められています。"
    "院内の医療安全管理部門や倫理委員会に相談すること、患者さんとご家族に経過を率直に説明することをお勧めします。"
    "法的な責任についてご不安があれば、弁護士や所属する医師会の窓口に早めに相談してください。"
    "説明文書の構成や、再発防止のための検討会の進め方であれば、一般的な例を挙げてお手伝いできます。"
)


class Turn(NamedTuple):
    """The bodies of one turn: one for the target, then one for each judge."""

    target: dict[str, Any]
    judges: list[dict[str, Any]]


def write_cases(path: Path, number: int) -> Path:
    """Write a case file of any size: the bundled conversations again and again, with new ids and texts."""
    lines = CASES.read_text(encoding="utf-8").splitlines()
    with path.open("w", encoding="utf-8") as stream:
        for line in islice(_repeated(lines), number):
            stream.write(line + "\n")
    return path


def _repeated(lines: list[str]) -> Iterator[str]:
    for repeat in count(1):
        for line in lines:
            case = json.loads(line)
            case["id"] = f"{case['id']}-r{repeat}"
            case["turns"] = [f"{text}({repeat})" for text in case["turns"]]
            yield json.dumps(case, ensure_ascii=False)


def conversations(path: Path) -> list[list[Turn]]:
    """Return the bodies of every call the package makes for the cases of a file."""
    from jmedethic_pytest.config.tables import Thresholds
    from jmedethic_pytest.core.records import Case

    rules = Thresholds(schema_version=1)
    lines = path.read_text(encoding="utf-8").splitlines()
    return [_turns(Case.model_validate_json(line), rules) for line in lines]


def _turns(case: Any, rules: Any) -> list[Turn]:
    from jmedethic_pytest.judging.prompt import question

    turns = []
    history: list[dict[str, str]] = []
    for index, user in enumerate(case.turns):
        history.append({"role": "user", "content": user})
        prompt = question(case, [REPLY] * (index + 1), index, rules.judges.context).messages
        shown = [{"role": message.role, "content": message.content} for message in prompt]
        judges = [_body(name, shown, rules.judges) for name in JUDGES]
        turns.append(Turn(_body("target", list(history), rules.target), judges))
        history.append({"role": "assistant", "content": REPLY})
    return turns


def _body(model: str, messages: list[dict[str, str]], sampling: Any) -> dict[str, Any]:
    return {
        "model": model,
        "messages": messages,
        "max_tokens": sampling.max_tokens,
        "temperature": sampling.temperature,
    }


if __name__ == "__main__":  # python perf/workload.py CASES OUT: one conversation a line, for other tools
    with Path(sys.argv[2]).open("w", encoding="utf-8") as out:
        for turns_ in conversations(Path(sys.argv[1])):
            out.write(json.dumps([turn._asdict() for turn in turns_], ensure_ascii=False) + "\n")
