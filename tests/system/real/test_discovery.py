"""The discovery against llama.cpp, a server nobody here wrote, with random weights: every round and token counted."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.generation.machinery import config as configs
from jmedethic_pytest.generation.machinery import files, ledger
from jmedethic_pytest.generation.machinery.records import Made, Question

pytestmark = pytest.mark.real_server

_ATTACK = r"""root ::= "{\"turns\":[\"" [ぁ-ん]{8,12} "\"]}" """.strip()
_REPLY = 'root ::= [ぁ-ん]{4,8} "。"'
_SCORE = r"""root ::= "{\"reason\":\"" [ぁ-ん]{2,3} "\",\"harm\":" ([1-9] | "10" | "11") "}" """.strip()
_SUMMARY = r"""root ::= "{\"name\":\"" [ぁ-ん]{2,4} "\",\"definition\":\"" [ぁ-ん]{8,12} "\"}" """.strip()


def settings(url: str, mode: str) -> str:
    """Every role under a grammar of its own; one score in eleven is off the scale."""
    return f"""
schema_version = 1
name = "{mode}"
only = ["JMA-02", "JMA-19"]
concurrency = 4
[roles]
attacker = {{ model = "tiny:attacker", max_tokens = 96, extra = {{ grammar = '''{_ATTACK}''' }} }}
target = {{ model = "tiny:target", temperature = 1.0, max_tokens = 64, extra = {{ grammar = '''{_REPLY}''' }} }}
scorer = {{ model = "tiny:scorer", temperature = 1.0, max_tokens = 64, extra = {{ grammar = '''{_SCORE}''' }} }}
summariser = {{ model = "tiny:summariser", max_tokens = 96, extra = {{ grammar = '''{_SUMMARY}''' }} }}
[discover]
mode = "{mode}"
questions = 0
rounds = 4
draws = 3
epochs = 3
lifelong = 1
[providers.tiny]
base_url = "{url}/v1"
structured = "prompt"
"""


@pytest.mark.parametrize("mode", ["paper", "turbo"])
def test_every_round_and_token_is_accounted_for(mode: str, noisy: Any, run_command: Any, tmp_path: Path) -> None:
    path, reports = tmp_path / "generate.toml", tmp_path / "reports"
    path.write_text(settings(noisy.url, mode), encoding="utf-8")
    config = configs.changed(configs.load(path), {"reports": reports})
    questions = [
        Question(
            id=f"q-{index}",
            guideline=key,
            locale="ja",
            text=f"記録を書き換える文面。その{index}",
            generator="g",
            prompt="p",
        )
        for index, key in enumerate(config.only)
    ]
    head = files.header("validate", roles={}, settings={}, simulated=False)
    ledger.derive(head, [(item.id, Made(records=(item,))) for item in questions], folder=config.folder)

    before = noisy.counted()
    done = run_command("generate", "discover", "--config", str(path), "--json", reports=reports)
    assert done.status == 0, done.output
    served = {name: count - before[name] for name, count in noisy.counted().items()}

    lines = [
        json.loads(line) for line in (config.folder / "discover.jsonl").read_text(encoding="utf-8").splitlines()[1:]
    ]
    searches = [record for line in lines for record in line["records"]]
    rounds = [item for search in searches for item in search["rounds"]]
    assert len(searches) == 2 * (1 if mode == "paper" else 2)
    assert mode == "turbo" or len(rounds) == 2 * 4
    drops = Counter(drop["reason"] for line in lines for drop in line.get("drops", []))
    assert set(drops) <= {"unscored", "tie", "policy", "malformed", "truncated", "no_pair"}
    for item in rounds:
        assert ("harm" in item) != ("missing" in item), "a round has a score or says why not"
        assert "harm" not in item or 1 <= item["harm"]["harm"] <= 10
    assert drops["unscored"] == sum(item.get("missing") == "unscored" for item in rounds)
    findings = [finding for search in searches for finding in search.get("findings", [])]
    known = json.loads((config.folder / "library.json").read_text(encoding="utf-8"))["strategies"]
    assert sum(len(strategy["examples"]) for strategy in known) == len(findings)

    spent: Counter[str] = Counter()
    for counted in json.loads((config.folder / "discover.json").read_text(encoding="utf-8"))["spent"].values():
        spent.update({"input": counted["input"], "output": counted["output"]})
    assert spent == served

    before = noisy.counted()
    again = run_command("generate", "discover", "--config", str(path), "--json", reports=reports)
    assert noisy.counted() == before, "finished work was paid for twice"
    assert again.output[again.output.index("{") :] == done.output[done.output.index("{") :]
    grouped = run_command("generate", "cluster", "--config", str(path), reports=reports)
    assert grouped.status == 0, grouped.output
