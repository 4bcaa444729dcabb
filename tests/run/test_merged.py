"""What a merged run says of its shards: sums, and the worst that any of them saw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jmedethic_pytest.core.run_info import Golden, Identity, RunInfo
from jmedethic_pytest.core.shards import Shard
from jmedethic_pytest.run import merged, shards_alike
from jmedethic_pytest.run.shards import Content, StoredShard
from support.judged_runs import info


def shard(number: int, **changes: Any) -> StoredShard:
    part = Shard(number=number, count=2, cases="c" * 64, evaluations=5)
    made = info(f"run{number}", "vllm:tuned", ["openai:a", "openai:b"], 5, shard=part, **changes)
    return StoredShard(Path(f"s{number}"), made, part)


def together(*found: StoredShard) -> RunInfo:
    return merged.record(found, Content({}, {}, ()), "whole", ["jmedethic", "merge"])


def golden(judge: str = "openai:a", ordered: int = 12, **changes: Any) -> Golden:
    told = {"locale": "ja", "cases": 12, "auc": 1.0, "missing": 0, "flagged": 0, "scored": 48, "means": {}}
    return Golden(judge=judge, ordered=ordered, **{**told, **changes})


def test_calls_and_money_add_up_and_unknown_stays_unknown() -> None:
    tokens = {name: {"input": 10, "output": 1, "cached_calls": 0, "failed_calls": 1} for name in ("target", "judge")}
    each = {"tokens": tokens, "calls": {"target": 3, "judge": 1}, "seconds_per_call": {"target": 1.0}}
    other = {**each, "calls": {"target": 1, "judge": 2}, "seconds_per_call": {"target": 3.0}}
    found = together(
        shard(1, **each, cost_usd={"target": 0.5, "judge": None}),
        shard(2, **other, cost_usd={"target": 0.25, "judge": 1.0}),
    )
    assert found.calls == {"target": 4, "judge": 3}
    assert found.tokens["target"] == {"input": 20, "output": 2, "cached_calls": 0, "failed_calls": 2}
    assert found.cost_usd == {"target": 0.75, "judge": None}
    assert found.seconds_per_call == {"target": 1.5}
    assert found.shard is None


def test_golden_replies_count_as_the_worst_shard_saw_them() -> None:
    bad = golden(ordered=3, reasons=("3 of 12 in order",))
    found = together(shard(1, golden=(golden(), golden("openai:b"))), shard(2, golden=(bad, golden("openai:b", 11))))
    assert found.golden == (bad, golden("openai:b", 11))
    assert together(shard(1, golden=(golden(),)), shard(2, golden=())).golden == ()
    assert together(shard(1, golden=(golden(),)), shard(2)).golden is None


def test_notes_are_told_once_or_with_their_shard() -> None:
    assert together(shard(1, note="slow"), shard(2, note="slow")).note == "made of 2 shards; slow"
    assert together(shard(1), shard(2, note="slow")).note == "made of 2 shards; shard 2/2: slow"
    learned = together(shard(1, learned={"target": ("no seed",)}), shard(2, learned={"target": ("no seed",)})).learned
    assert learned == {"target": ("no seed",)}


def test_probes_that_are_answered_otherwise_are_told_and_doubted() -> None:
    found = together(shard(1, identity=Identity(probes=("a",))), shard(2, identity=Identity(probes=("b",))))
    assert found.identity.changes == (
        "the shards' servers do not answer the probes alike: other weights, or other rounding",
    )
    assert found.identity.changes[0] in found.note


TARGET = {"model": "vllm:tuned", "kind": "openai", "base_url": "https://models.example/v1"}
ELSEWHERE = {**TARGET, "base_url": "https://node2.example/v1"}


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ({}, {}, ""),
        ({}, {"concurrency": 8, "note": "x", "tool_version": "1.0.7"}, ""),
        ({}, {"tool_version": "1.1"}, "tool_version"),
        ({}, {"target": ELSEWHERE}, "state the weights of all shards (--jmed-revision)"),
        ({"target": {**TARGET, "revision": "r"}}, {"target": {**ELSEWHERE, "revision": "r"}}, ""),
        ({"git_commit": "a"}, {"git_commit": "b"}, "git_commit: b, there a. Next: state the weights"),
        (
            {"target": {**TARGET, "revision": "r"}},
            {"target": {**TARGET, "revision": "q"}},
            "target.revision: q, there r",
        ),
        (
            {"identity": {"listed": {"root": "/a", "created": 1}}},
            {"identity": {"listed": {"root": "/a", "created": 2}}},
            "",
        ),
        (
            {"identity": {"listed": {"root": "/a"}}},
            {"identity": {"listed": {"root": "/b"}}},
            "the server lists root: /b",
        ),
        ({}, {"third": {"model": "openai:c", "kind": "openai"}}, "third: "),
        ({}, {"baselines": ["release"]}, "baselines: "),
        ({}, {"guidelines": {"JMA-01": "0"}}, "guidelines.JMA-01: 0, there not set"),
    ],
)
def test_what_must_be_alike(first: dict[str, Any], second: dict[str, Any], words: str) -> None:
    found = list(shards_alike.differences([("one", shard(1, **first).info), ("two", shard(2, **second).info)]))
    assert len(found) == bool(words)
    assert all(words in line and line.startswith("two was made otherwise than one: ") for line in found)
