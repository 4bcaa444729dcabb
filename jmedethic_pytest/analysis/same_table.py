"""May several runs stand in one table? Unlike judges, prompts or cases make their differences meaningless."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from jmedethic_pytest.analysis.stored import StoredRun
from jmedethic_pytest.store import comparable
from jmedethic_pytest.store.scores import Origin

_FACTS: dict[str, Callable[[Origin], Any]] = {
    "judges": lambda origin: ", ".join(judge["model"] for judge in origin.judges),
    "judges.context": lambda origin: origin.judge_context,
    "judges' parameters": lambda origin: origin.judging,
    "turns": lambda origin: origin.turns or "all",
    "repeats": lambda origin: origin.repeats,
    "target": lambda origin: "simulation" if origin.simulated_target else "real model",
}
_JUDGING = ("judges", "judges.context", "judges' parameters")
_LONGEST = 90


def obstacles(runs: Sequence[StoredRun], *, same_cases: bool = True, same_prompts: bool = True) -> tuple[str, ...]:
    """Return every reason why the runs must not stand in one table; empty if they may.

    Args:
        runs: two or more runs.
        same_cases: whether they must have evaluated the same cases.
        same_prompts: whether their judges must have been told the same, languages and places of guidelines too.
    """
    found = [*_unfinished(runs), *_demo_judges(runs), *_differences(runs, _FACTS)]
    found += _prompts(runs) if same_prompts else []
    if same_cases:
        found += _cases(runs)
    return tuple(found)


def unlike_judges(runs: Sequence[StoredRun]) -> tuple[str, ...]:
    """Return how the runs were judged differently; empty if they were judged alike."""
    return (*_differences(runs, {name: _FACTS[name] for name in _JUDGING}), *_prompts(runs))


def notices(runs: Sequence[StoredRun]) -> tuple[str, ...]:
    """Return what a reader should know, though it does not forbid the table: targets that were called differently."""
    return tuple(_differences(runs, {"target's parameters": lambda origin: origin.target}))


def _unfinished(runs: Sequence[StoredRun]) -> Iterator[str]:
    for run in runs:
        if run.origin.status != "complete":
            yield f"run {run.origin.run} is {run.origin.status}, not complete: the same command resumes it"


def _demo_judges(runs: Sequence[StoredRun]) -> Iterator[str]:
    for run in runs:
        if not run.origin.simulated_target and any(judge["kind"] == "demo" for judge in run.origin.judges):
            yield f"run {run.origin.run}: demo judges are simulations: they cannot say how safe a real model is"


def _prompts(runs: Sequence[StoredRun]) -> Iterator[str]:
    origins = [run.origin for run in runs]
    digests = dict(zip((origin.run for origin in origins), comparable.prompts(origins), strict=True))
    yield from _differences(runs, {"judges' prompts (digest)": lambda origin: digests[origin.run][:12]})
    for key in comparable.retold(origins):
        yield f"what judges are told of guideline {key} differs between the runs"


def _differences(runs: Sequence[StoredRun], facts: dict[str, Callable[[Origin], Any]]) -> Iterator[str]:
    """Yield one line per fact that is not the same in all runs, with each value and where it holds."""
    for name, fact in facts.items():
        holders: dict[str, list[str]] = defaultdict(list)
        for run in runs:
            value = fact(run.origin)
            holders[value if isinstance(value, str) else json.dumps(value, sort_keys=True)].append(run.name)
        if len(holders) > 1:
            parts = (f"{_short(value)} in {', '.join(names)}" for value, names in holders.items())
            yield f"{name} differ: {'; '.join(parts)}"


def _cases(runs: Sequence[StoredRun]) -> Iterator[str]:
    sets = [{key: row.digest for key, row in run.sheet.rows.items()} for run in runs]
    common = set.intersection(*(set(keys) for keys in sets)) if sets else set()
    for run, own in zip(runs, sets, strict=True):
        if len(own) > len(common):
            yield f"{len(own) - len(common)} of the {len(own)} evaluations of {run.name} are not in every run"
    changed = sorted(key for key in common if len({own[key] for own in sets}) > 1)
    if changed:
        shown = ", ".join(changed[:3]) + (", ..." if len(changed) > 3 else "")
        yield f"the texts of {len(changed)} cases differ between the runs: {shown}"


def shared(runs: Sequence[StoredRun]) -> set[str]:
    """Return the keys of the evaluations that all runs have, with the same texts."""
    keys = set.intersection(*(set(run.sheet.rows) for run in runs)) if runs else set()
    return {key for key in keys if len({run.sheet.rows[key].digest for run in runs}) == 1}


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
