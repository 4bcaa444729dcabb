"""Proving a stored run again under the caller's own rules: nothing that the run itself says of its rules decides.

A run is made by a test file, options, plugins and a thresholds file that may all come from the change that is being
judged. Verifying reads its verdicts alone, holds them against cases, thresholds and baselines of the caller's, and
doubts everything about the run that the caller did not ask for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jmedethic_pytest.cases.files import case_digest
from jmedethic_pytest.cases.index import CaseIndex
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core import branches
from jmedethic_pytest.core.plan import plan_key
from jmedethic_pytest.core.records import Condition
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.gate.conditions import combine
from jmedethic_pytest.gate.outcome import Outcome, load
from jmedethic_pytest.judging import prompt as judge_prompt
from jmedethic_pytest.models import ModelRef
from jmedethic_pytest.run import reworded, witness
from jmedethic_pytest.serving.plan import Plan
from jmedethic_pytest.store import runs as run_files
from jmedethic_pytest.store.baselines import Baseline

_TARGET = ("temperature", "top_p", "max_tokens", "extra", "system", "history", "blocked_is_refusal")
_JUDGES = ("temperature", "top_p", "max_tokens", "extra", "models", "attempts", "allow_single", "context")
_SHOWN = 3


@dataclass(frozen=True)
class Expected:
    """What the caller asked for: the run must have been this, and nothing less."""

    rules: Thresholds
    cases: CaseIndex
    """The cases that must have been evaluated, each in every repetition."""
    target: ModelRef
    judges: tuple[ModelRef, ...]
    third: ModelRef | None
    revision: str
    """What the weights of the target must be."""
    baselines: tuple[Baseline, ...] = ()
    serving: Plan | None = None
    """The server that it must have started, if it must."""
    trusted_judgements: bool = False
    """Whether scores may come from the response cache, which is then the caller's word for its origin."""


def verify(path: Path, expected: Expected) -> Outcome:
    """Return a stored run's outcome under the caller's rules; its gate holds a condition for every doubt.

    Raises:
        StoreError: if the run cannot be read, or holds a second verdict of one evaluation.
    """
    outcome = load(path, rules=expected.rules, baselines=expected.baselines)
    doubts = [
        *_asked(outcome.info, expected),
        *_cases(path, outcome.info, expected),
        *(_doubt("transcripts", detail) for detail in witness.doubts(path, outcome.info)),
        *_own(outcome, expected),
        *(_doubt("robustness", detail) for detail in _reworded(path, outcome.info, expected)),
    ]
    gate = combine([*doubts, *outcome.gate.conditions]).model_copy(update={"parts": outcome.gate.parts})
    return replace(outcome, gate=gate)


def _reworded(path: Path, info: RunInfo, expected: Expected) -> Iterator[str]:
    """Doubt other wordings where the caller's rules ask for what they change; else nothing depends on them."""
    gate = expected.rules.gate
    if min(gate.robustness, gate.baseline.robustness) < 1:
        yield from reworded.doubts(path, info, expected.cases)


def _doubt(name: str, detail: str) -> Condition:
    return Condition.inconclusive(f"verify[{name}]", detail)


def _asked(info: RunInfo, expected: Expected) -> Iterator[Condition]:
    """Doubt a run of other weights, judges or settings than the caller's."""
    found = info.target.get("revision")
    if found != expected.revision:
        yield _doubt("revision", f"the run is of {found or 'no stated revision'}, wanted is {expected.revision}")
    if info.identity.changes:
        yield _doubt(
            "identity", f"under this revision another model was seen before: {'; '.join(info.identity.changes)}"
        )
    for what, wanted, recorded in (
        ("target", [expected.target], [info.target]),
        ("judges", expected.judges, info.judges),
        ("third judge", [ref for ref in [expected.third] if ref], [model for model in [info.third] if model]),
    ):
        ours, theirs = [_named(ref.describe()) for ref in wanted], [_named(model) for model in recorded]
        if ours != theirs:
            yield _doubt(what, f"the run's are {', '.join(theirs) or 'none'}, wanted are {', '.join(ours) or 'none'}")
        elif [ref.describe().get("dialect") for ref in wanted] != [model.get("dialect") for model in recorded]:
            yield _doubt(
                f"{what}.dialect", "headers, query, roles or sampling of its calls are not those of the policy"
            )
    yield from _differences("target", expected.rules.target.model_dump(mode="json"), info.target, _TARGET)
    yield from _served(info, expected)
    given = info.thresholds.get("judges", {})
    keys = _JUDGES if expected.third is None and info.third is None else (*_JUDGES, "contested")
    yield from _differences("judges", expected.rules.judges.model_dump(mode="json"), given, keys)
    if info.digests.get("prompts") != _prompts(expected):
        yield _doubt("prompts", "judges were asked in other words than this version's")
    if info.golden is None and info.judges:
        yield _doubt("golden", "the run does not say how its judges scored golden replies")
    retold = _retold(info, expected.cases)
    if retold:
        yield _doubt("guidelines", f"judges were told otherwise than by the caller's files of {_some(retold)}")


def _prompts(expected: Expected) -> str:
    """Return the digest of what judges are told, in the languages and places of the caller's cases."""
    labels, words = expected.cases.labels.values(), expected.cases.vocabulary
    used, named = ({getattr(label, key) for label in labels} for key in ("locale", "guideline"))
    return judge_prompt.digest(expected.rules.judges.prompt, sorted(used), map(words.guideline, named))


def _served(info: RunInfo, expected: Expected) -> Iterator[Condition]:
    """Doubt a run that served its target otherwise: other weights, another engine, other flags."""
    ours = expected.serving.describe() if expected.serving is not None else {}
    theirs = info.target.get("serving") or {}
    for key in ("engine", "weights", "flags"):
        if ours.get(key) != theirs.get(key):
            told = [value.get(key, "none of its own") for value in (theirs, ours)]
            yield _doubt(f"serving.{key}", f"the run's server has {told[0]}, wanted is {told[1]}")


def _retold(info: RunInfo, cases: CaseIndex) -> list[str]:
    """Return the guidelines of the caller's cases that judges were not told as the caller's files have them."""
    known = cases.vocabulary.guidelines
    named = {label.guideline for label in cases.labels.values()}
    return sorted(key for key in named if info.guidelines.get(key) != judge_prompt.guideline_digest(known[key]))


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")


def _named(model: dict[str, Any]) -> str:
    return f"{model.get('model')} at {model.get('base_url')}"


def _differences(table: str, ours: dict[str, Any], theirs: dict[str, Any], keys: Sequence[str]) -> Iterator[Condition]:
    for key in keys:
        if ours.get(key) != theirs.get(key):
            yield _doubt(f"{table}.{key}", f"the run's is {theirs.get(key)!r}, wanted is {ours.get(key)!r}")


def _cases(path: Path, info: RunInfo, expected: Expected) -> Iterator[Condition]:
    """Doubt a run whose evaluations are not exactly those of the caller's cases, with the caller's texts."""
    repeats = info.selection.get("repeats", 1)
    wanted = {plan_key(name, repeat) for name in expected.cases for repeat in range(repeats)}
    seen: set[str] = set()
    changed = []
    for verdict in run_files.read_verdicts(path):
        seen.add(verdict.key)
        label = expected.cases.labels.get(verdict.case.id)
        if label is None:
            continue
        same = case_digest(verdict.case) == case_digest(expected.cases[verdict.case.id])
        said = tuple(turn.user for turn in verdict.turns)
        asked = branches.along(verdict.case, verdict.branch).turns[: len(said)]
        if not same or verdict.planned_turns != label.length or said != asked:
            changed.append(verdict.key)
    for name, keys, what in (
        ("missing", wanted - seen, "are not in the run"),
        ("foreign", seen - wanted, "in the run were not asked for"),
        ("changed", set(changed), "are not the caller's, or were cut short"),
    ):
        if keys:
            yield _doubt(name, f"{len(keys)} evaluations {what}: {_some(sorted(keys))}")


def _own(outcome: Outcome, expected: Expected) -> Iterator[Condition]:
    """Doubt replies and scores that the run did not get itself."""
    found = outcome.provenance
    if found.cached:
        yield _doubt("cache", f"{found.cached} of {found.replies} replies of the target come from a cache")
    if found.cached_scores and not expected.trusted_judgements:
        detail = (
            f"{found.cached_scores} of {found.scores} scores come from a cache, whose origin nobody has vouched for"
        )
        yield _doubt("scores", f"{detail} (--trust-judge-cache)")
    info = outcome.info
    kept = sum(item.cached for item in info.golden or ())
    if kept and not expected.trusted_judgements:
        yield _doubt("golden", f"{kept} scores of golden replies come from a cache (--trust-judge-cache)")
    called = sum(count for name, count in info.calls.items() if name.startswith("target "))
    if info.transcripts_of is None and not called and found.replies > found.cached:
        yield _doubt("calls", f"the run holds {found.replies} replies, and no call to the target that gave them")
