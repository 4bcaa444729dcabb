"""Rules side by side: which keys of two thresholds files differ, and which of them became weaker.

One table says for every key which way is weaker. Keys that only make another measurement of it (a system prompt, the
sampling) are neither: they are named as different.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from typing import Any, Literal, NamedTuple

from pydantic_core import to_jsonable_python

from jmedethic_pytest.config.tables import Thresholds, turn_key
from jmedethic_pytest.config.tiers import PolicyTable, is_figure
from jmedethic_pytest.core.records import TIERS
from jmedethic_pytest.core.scores import WORST
from jmedethic_pytest.core.secrets import public_url

Way = Literal["lower", "higher", "emptied", "neither"]
WEAKER: Mapping[str, Way] = {
    "conversation.floor": "lower",
    "conversation.confirm": "higher",
    "conversation.confirm_within": "higher",
    "gate.policy": "higher",
    "gate.alpha": "higher",
    "gate.min_cases": "lower",
    "gate.max_missing": "higher",
    "gate.pass_rate": "lower",
    "gate.min_judge_pearson": "lower",
    "gate.min_judge_within_2": "lower",
    "gate.max_hidden": "higher",
    "gate.mean": "lower",
    "gate.median": "lower",
    "gate.strategy_mean": "lower",
    "gate.min_strategy_cases": "lower",
    "gate.max_over_refusal": "higher",
    "gate.require_card": "higher",
    "gate.anchors": "emptied",
    "gate.link": "neither",
    "gate.people": "emptied",
    "gate.robustness": "higher",
    "gate.baseline.alpha": "higher",
    "gate.baseline.min_pairs": "lower",
    "gate.baseline.left_out": "higher",
    "gate.baseline.looks": "neither",
    "gate.baseline.mean": "higher",
    "gate.baseline.turn": "higher",
    "gate.baseline.min": "higher",
    "gate.baseline.pass_rate": "higher",
    "gate.baseline.pass_rate_human": "higher",
    "gate.baseline.language": "higher",
    "gate.baseline.above_4": "higher",
    "gate.baseline.strategy": "higher",
    "gate.baseline.over_refusal": "higher",
    "gate.baseline.robustness": "higher",
    "gate.baseline.safe_turns": "higher",
    "policy.tier": "higher",
    "policy.exam_accuracy": "lower",
    "judges.allow_single": "higher",
    "judges.context": "higher",
    "judges.prompt": "neither",
    "judges.temperature": "neither",
    "judges.top_p": "neither",
    "judges.extra": "neither",
    "judges.models": "neither",
    "judges.third": "neither",
    "judges.contested": "neither",
    "target.blocked_is_refusal": "higher",
    "target.history": "neither",
    "target.system": "neither",
    "target.temperature": "neither",
    "target.top_p": "neither",
    "target.extra": "neither",
}
"""Which way a rule becomes weaker, by its key; with more cases of a kind left out, it is the longer list."""
SPECIFIC: Mapping[str, tuple[str, ...]] = {
    "conversation.floor": ("turns", "strategies", "strategy_turns"),
    "gate.strategy_mean": ("strategy_means",),
    "gate.baseline.turn": ("turns",),
    "gate.baseline.strategy": ("strategies",),
}
"""Tables of more specific values than a key's, beside it in its table."""
_RANK: Mapping[str, int] = {
    word: rank
    for words in (TIERS, ("full", "turn"), ("same", "any"), ("human", "golden"))
    for rank, word in enumerate(words)
}
"""Words of a key in the order of their weakness."""

_PLAIN = re.compile(r"^(gate|conversation|policy)\.")
"""Tables whose keys are named without them."""
_PRIVATE = {
    "target.system": "a system prompt",
    "target.extra": "parameters",
    "judges.extra": "parameters",
    "judges.models": "parameters",
}
"""Keys of which only the kind and a digest are shown."""


class Difference(NamedTuple):
    """A rule that two thresholds files do not have alike."""

    name: str
    """Its key, and what it is of: ``floor of T2``."""
    before: str
    now: str
    weaker: bool
    """Whether it lets more pass now."""

    def __str__(self) -> str:
        return f"{self.name} {self.before} -> {self.now}"


class _Value(NamedTuple):
    key: str
    place: str
    """What it is of: `` of T2``; empty for all."""
    value: Any
    wider: tuple[str, ...] = ()
    """The places that hold this one: their difference says it all if it is the same."""


def differences(before: Thresholds, now: Thresholds) -> tuple[Difference, ...]:
    """Return how the rules differ, each difference once and at the widest place it holds for."""
    both = [{(item.key, item.place): item for item in _values(rules, before, now)} for rules in (before, now)]
    changed = {at: (item.value, both[1][at].value) for at, item in both[0].items() if item.value != both[1][at].value}
    return tuple(
        Difference(
            name=f"{_PLAIN.sub('', key)}{place}",
            before=_shown(key, old),
            now=_shown(key, new),
            weaker=_weaker(WEAKER[key], old, new),
        )
        for (key, place), (old, new) in changed.items()
        if all(changed.get((key, wider)) != (old, new) for wider in both[0][key, place].wider)
    )


def _values(rules: Thresholds, *both: Thresholds) -> Iterator[_Value]:
    """Yield every rule, for each turn and strategy that either of both names."""
    gate, margins = rules.gate, rules.gate.baseline
    yield from _floors(rules, both)
    for key, general, own, named in (
        ("gate.mean", WORST, gate.mean, [item.gate.mean for item in both]),
        ("gate.median", WORST, gate.median, [item.gate.median for item in both]),
        (
            "gate.strategy_mean",
            gate.strategy_mean or WORST,
            gate.strategy_means,
            [item.gate.strategy_means for item in both],
        ),
        ("gate.baseline.turn", margins.turn, margins.turns, [item.gate.baseline.turns for item in both]),
        ("gate.baseline.strategy", margins.strategy, margins.strategies, [i.gate.baseline.strategies for i in both]),
    ):
        yield _Value(key, "", general)
        for part in _all(named):
            held = turn_key(own, int(part[1:])) if key in ("gate.mean", "gate.median") else part
            yield _Value(key, f" of {part}", own.get(held or part, general), ("",))
    yield from _tiers(rules, both)
    done = {"conversation.floor", "gate.mean", "gate.median", *SPECIFIC, *(key for key in WEAKER if _is_policy(key))}
    for key in (key for key in WEAKER if key not in done):
        found = reduce(getattr, key.split("."), rules)
        yield _Value(key, "", 0.0 if found is None and key == "gate.pass_rate" else found)  # either is off


def _is_policy(key: str) -> bool:
    return key.startswith("policy.")


def _tiers(rules: Thresholds, both: Iterable[Thresholds]) -> Iterator[_Value]:
    """Yield the tier of every name in either policy, and what is asked of the exam; a run without one is all critical.

    Where a name is more specific than one that says the same, its difference is told with that.
    """
    table, tables = rules.policy or PolicyTable(), [item.policy or PolicyTable() for item in both]
    for name in sorted({name for item in tables for tier in TIERS for name in item.named(tier)}):
        held = table.figure(name) if is_figure(name) else table.tier(name)
        yield _Value("policy.tier", f" of {name}", held, tuple(f" of {wider}" for wider in name.split(":")[:-1]))
    yield _Value("policy.exam_accuracy", "", table.exam_accuracy or 0.0)


def _floors(rules: Thresholds, both: Iterable[Thresholds]) -> Iterator[_Value]:
    """Yield the floor of single conversations, for each strategy and turn."""
    key, table, tables = "conversation.floor", rules.conversation, [item.conversation for item in both]
    turns = _all([*(item.turns for item in tables), *(inner for t in tables for inner in t.strategy_turns.values())])
    yield _Value(key, "", table.floor)
    for turn in turns:
        yield _Value(key, f" of {turn}", rules.floor_of("", int(turn[1:])), ("",))
    for strategy in _all([*(item.strategies for item in tables), *(item.strategy_turns for item in tables)]):
        yield _Value(key, f" of {strategy}", table.strategies.get(strategy, table.floor), ("",))
        for turn in turns:
            found = rules.floor_of(strategy, int(turn[1:]))
            yield _Value(key, f" of {strategy} at {turn}", found, ("", f" of {turn}", f" of {strategy}"))


def _all(tables: Iterable[Mapping[str, Any]]) -> list[str]:
    return sorted({name for table in tables for name in table})


def _weaker(way: Way, before: Any, now: Any) -> bool:
    if way == "neither":
        return False
    if way == "emptied":
        return bool(before) and not now
    if isinstance(before, tuple):
        return not set(now) <= set(before)
    old, new = (_RANK.get(value, value) for value in (before, now))
    return bool(new < old if way == "lower" else new > old)


def _shown(key: str, value: Any) -> str:
    """Write a value; a product's own texts and parameters are no reader's business, only whether they are the same."""
    if value is None or value in ({}, (), ""):
        return "not set"
    if key in _PRIVATE:
        digest = hashlib.sha256(json.dumps(to_jsonable_python(value), sort_keys=True).encode()).hexdigest()
        return f"{_PRIVATE[key]} (sha256 {digest[:8]})"
    if isinstance(value, bool):
        return str(value).lower()
    if key == "judges.third":
        name, at, address = value.partition("@http")
        return f"{name}@{public_url(f'http{address}')}" if at else name
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
