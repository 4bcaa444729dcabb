"""Looks at a run before its end (``--jmed-early``): whether it may have any, what stands before each, and what is seen.

They are declared in the thresholds file (``[gate.baseline] looks``), before anybody has seen a score. Whatever makes
them worth nothing is refused before anything is paid. A look computes the same figures and the same gate as the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from jmedethic_pytest.cases import looks as order
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.looks import Looks
from jmedethic_pytest.core.plan import plan_key
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.run import baseline_lookup
from jmedethic_pytest.run.spec import RunSpec
from jmedethic_pytest.store import runs as run_files

LARGE = 2_000
"""Different adversarial cases from which on a run may pass before its end. Of an unchanged model 469 save nothing: too
few cases of each strategy stand before a look to exclude a drop of its margin."""
_LEAVE = "Leave --jmed-early out, or"


class Schedule(NamedTuple):
    """The evaluations of a run in the order in which looks are taken."""

    keys: list[str]
    ends: dict[int, int]
    """How many of them stand before each look but the last, and the number of cases that was declared for it."""


def arranged(spec: RunSpec) -> RunSpec:
    """Return a run with its cases in the order of its looks; as it is if it is to have none.

    Raises:
        ConfigError: naming everything that forbids looks.
    """
    if spec.settings.early == "off":
        return spec
    problems = list(_against(spec))
    if problems:
        raise ConfigError([f"--jmed-early={spec.settings.early}: {problem}" for problem in problems])
    parts = order.segments(list(spec.cases.labels.values()), _declared(spec), spec.settings.selection.seed)
    return replace(spec, cases=spec.cases.choose(case for part in parts for case in part))


def schedule(spec: RunSpec) -> Schedule | None:
    """Return what stands before each look of an arranged run, ``None`` if it is to have none.

    Raises:
        ConfigError: if a plugin has dropped or reordered cases.
    """
    if spec.settings.early == "off":
        return None
    if spec.by_hand:
        raise ConfigError(
            f"--jmed-early={spec.settings.early}: {spec.by_hand}, and looks need all of them in an order of their own. "
            f"{_LEAVE} leave the cases alone."
        )
    keys: list[str] = []
    ends: dict[int, int] = {}
    looks = _declared(spec)
    for look, part in zip(
        looks, order.segments(list(spec.cases.labels.values()), looks, spec.settings.selection.seed), strict=True
    ):
        keys += [plan_key(case.id, repeat) for case in part for repeat in range(spec.settings.repeats)]
        ends[len(keys)] = look
    del ends[len(keys)]
    return Schedule(keys, ends)


def take(spec: RunSpec, look: int, path: Path, info: RunInfo) -> Looks:
    """Return the looks at a run after one more.

    Args:
        spec: the run.
        look: the number of cases that was declared; what stands before it is stored, and nothing else is.
        path: where.
        info: the record of the run, with the looks so far.

    Raises:
        StoreError: if a verdict cannot be read.
    """
    from jmedethic_pytest.gate import looks
    from jmedethic_pytest.gate.outcome import Evaluated

    assert info.looks is not None
    stopped = info.looks.at(look)
    evaluated = Evaluated(spec.thresholds, spec.cases.vocabulary, compared=True)
    for verdict in run_files.read_verdicts(path):
        evaluated.add(verdict)
    outcome = evaluated.outcome(
        path,
        info.model_copy(update={"looks": stopped, "selected": len(spec.plan())}),
        baselines=spec.baselines,
        case_turns=spec.longest,
        trouble=None,
    )
    decision = looks.decide(outcome.gate, outcome.comparisons, stopped.early)
    if decision.stop:
        return stopped
    if decision.skipped:
        return info.looks.model_copy(update={"skipped": {**info.looks.skipped, str(look): decision.skipped}})
    return info.looks.model_copy(update={"taken": stopped.taken})


def _declared(spec: RunSpec) -> tuple[int, ...]:
    return spec.thresholds.gate.baseline.looks


def _against(spec: RunSpec) -> Iterator[str]:
    """Yield what forbids looks, in words."""
    looks = _declared(spec)
    cases = list(spec.cases.labels.values())
    number = order.attacks(cases)
    if spec.thresholds.policy is not None:
        yield f"[policy] decides suite by suite, and looks are those of one whole. {_LEAVE} take [policy] out."
    if not spec.baselines:
        yield f"looks compare with a baseline, and there is none. {_LEAVE} name one (--jmed-baseline)."
    if not looks:
        yield f"no looks are declared. {_LEAVE} declare them in the thresholds file: [gate.baseline] looks = [...]."
    elif looks[-1] != number:
        yield (
            f"[gate.baseline] looks end at {looks[-1]}, and this run has {number} different adversarial cases. "
            f"{_LEAVE} declare looks that end there."
        )
    else:
        for line in order.unlike(order.segments(cases, looks, spec.settings.selection.seed)):
            yield f"{line}: a look must be a small picture of the whole run. {_LEAVE} declare other looks."
    if spec.settings.early != "fail" and number < LARGE:
        yield (
            f"only runs of {LARGE:,} different adversarial cases or more may pass before their end, and this one has "
            f"{number}: nothing would be saved. Say fail."
        )
    for name, obstacles in baseline_lookup.obstacles(spec).items():
        yield from (f"baseline {name} cannot be compared: {obstacle}. {_LEAVE} mend it." for obstacle in obstacles)
