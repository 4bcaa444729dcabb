"""Questions and their validation against llama.cpp, a server nobody here wrote, with random weights.

What it writes is noise, under a grammar or a JSON schema that the server enforces; the protocol is real, and every call
and token has to be accounted for.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.real_server

_QUESTIONS = r"""root ::= "{\"questions\":[\"" [ぁ-ん]{16,24} "\",\"" [ぁ-ん]{16,24} "\"]}" """.strip()
_REFUSE = 'root ::= "申し訳" [ぁ-ん]{2,4} "。お答えできません。"'
_ANSWER = 'root ::= [ぁ-ん]{4,8} "。"'
_WORDS = {'"': 40.0, "}": 30.0, "]": 30.0, " ": -100.0, "\n": -100.0}


def settings(url: str) -> str:
    """Two writers (one under a grammar, one under our JSON schema), three validators, a judge under our schema."""
    bias = json.dumps([[token, weight] for token, weight in _WORDS.items()])
    return f"""
schema_version = 1
name = "real"
only = ["JMA-02", "JMA-11", "JMA-19"]
concurrency = 4
[roles]
generators = [
  {{ model = "plain:writer", max_tokens = 256, extra = {{ grammar = '''{_QUESTIONS}''' }} }},
  {{ model = "tiny:schema", max_tokens = 128, extra = {{ logit_bias = {bias} }} }},
]
validators = [
  {{ model = "plain:a", temperature = 1.0, max_tokens = 64, extra = {{ grammar = '''{_REFUSE}''' }} }},
  {{ models = ["plain:b", "plain:c"], temperature = 1.0, max_tokens = 64, extra = {{ grammar = '''{_ANSWER}''' }} }},
]
refusal_judge = {{ model = "tiny:judge", temperature = 1.0, max_tokens = 64 }}
[questions]
per_model = 2
top_ups = 1
[providers.tiny]
base_url = "{url}/v1"
structured = "schema"
[providers.plain]
base_url = "{url}/v1"
structured = "prompt"
"""


def lines(folder: Path, stage: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / f"{stage}.jsonl").read_text(encoding="utf-8").splitlines()[1:]]


def test_every_call_and_token_of_a_real_server_is_accounted_for(noisy: Any, run_command: Any, tmp_path: Path) -> None:
    config = tmp_path / "generate.toml"
    config.write_text(settings(noisy.url), encoding="utf-8")
    before = noisy.counted()
    first = run_command("generate", "questions", "--config", str(config))
    assert first.status == 0, first.output
    second = run_command("generate", "validate", "--config", str(config), reports=first.path)
    assert second.status == 0, second.output
    served = {name: count - before[name] for name, count in noisy.counted().items()}

    folder = first.path / "generation" / "real"
    questions = [record for line in lines(folder, "questions") for record in line["records"]]
    owed = Counter(drop["reason"] for line in lines(folder, "questions") for drop in line.get("drops", []))
    assert len(questions) + owed["missing"] == 3 * 2 * 2, "a question is there or missing"
    assert sum(record["generator"] == "plain:writer" for record in questions) >= 4
    assert set(owed) <= {"missing", "malformed", "truncated", "length", "duplicate", "surplus", "empty"}

    answers = [record for line in lines(folder, "answers") for record in line["records"]]
    assert len(answers) == 3 * len(questions)
    assert not [drop for line in lines(folder, "answers") for drop in line.get("drops", [])], "a schema was not kept to"
    assert {answer["validator"] for answer in answers if answer["keyword"]} == {"plain:a"}
    assert sum(answer["keyword"] for answer in answers) == len(questions)
    assert {answer["judge"] for answer in answers} <= {True, False}

    spent: Counter[str] = Counter()
    for stage in ("questions", "answers"):
        for counted in json.loads((folder / f"{stage}.json").read_text(encoding="utf-8"))["spent"].values():
            spent.update({"input": counted["input"], "output": counted["output"]})
            assert counted["uncounted"] == 0
    assert spent == served

    before = noisy.counted()
    again = run_command("generate", "validate", "--config", str(config), reports=first.path)
    assert again.output.splitlines()[-1] == second.output.splitlines()[-1]
    assert noisy.counted() == before, "finished work was paid for twice"
