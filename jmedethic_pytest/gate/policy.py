"""Whose rules a run is decided by: how they differ from the shipped ones, and from those of its baselines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from pydantic import ValidationError

from jmedethic_pytest.config.policy import Difference, differences
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.records import Condition
from jmedethic_pytest.core.sentences import say
from jmedethic_pytest.store.baselines import Baseline

_SHOWN = 6


class Held(NamedTuple):
    """The rules of a run held against others."""

    against: str
    """Whose those are."""
    differences: tuple[Difference, ...]

    @property
    def weaker(self) -> tuple[Difference, ...]:
        """The rules by which more passes."""
        return tuple(item for item in self.differences if item.weaker)


def held(rules: Thresholds, baselines: Sequence[Baseline] = ()) -> tuple[Held, ...]:
    """Hold rules against the shipped ones, and against those of each baseline that holds its own."""
    found = [Held(say("policy.shipped"), differences(Thresholds(schema_version=1), rules))]
    for baseline in baselines:
        before = _rules_of(baseline, rules)
        if before is not None:
            found.append(Held(say("policy.baseline", name=baseline.name), differences(before, rules)))
    return tuple(found)


def listed(items: Sequence[Difference]) -> str:
    """Return differences in words, the first ones at length."""
    more = f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return ", ".join(map(str, items[:_SHOWN])) + more


def conditions(rules: Thresholds, baselines: Sequence[Baseline]) -> Iterator[Condition]:
    """Yield an inconclusive condition for every baseline whose rules must be the run's and are not.

    Either side can ask for it (``[gate] policy = "same"``), so that a change of the rules cannot also take that away.
    """
    for baseline in baselines:
        before = _rules_of(baseline, rules)
        if "same" not in (rules.gate.policy, before.gate.policy if before is not None else ""):
            continue
        if before is None:
            detail = say("policy.unknown", name=baseline.name)
        else:
            changed = differences(before, rules)
            if not changed:
                continue
            detail = say("policy.changed", name=baseline.name, changed=listed(changed))
        yield Condition.inconclusive(f"policy[{baseline.name}]", detail)


def _rules_of(baseline: Baseline, rules: Thresholds) -> Thresholds | None:
    """Return the rules of a baseline's run, with all that is no rule of the gate as it is now; ``None`` if unknown."""
    own = baseline.sheet.origin.rules
    try:
        return Thresholds.model_validate({**rules.model_dump(exclude={"policy"}), **own}) if own else None
    except ValidationError:  # written by a version with other keys
        return None
