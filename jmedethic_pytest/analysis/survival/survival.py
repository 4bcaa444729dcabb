"""How long the conversations of a run stay safe, turn by turn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pandas as pd

from jmedethic_pytest.analysis.lines import Lines
from jmedethic_pytest.analysis.survival.beyond import beyond
from jmedethic_pytest.analysis.survival.records import EndedEarly, Kind, SafeTurn, Survival
from jmedethic_pytest.analysis.survival.scores import COLUMNS, Scores, table
from jmedethic_pytest.core.sentences import say
from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.stats.hazards import FIRST
from jmedethic_pytest.stats.intervals import cluster_t
from jmedethic_pytest.stats.sample import SAME
from jmedethic_pytest.stats.survival import Courses, Flags, counts, greenwood, hazards, safe_shares, safe_turns
from jmedethic_pytest.store.scores import Floors

LEAST, LEAST_GUIDELINES = 30, 20
"""Conversations and guidelines; of fewer no figure is given, for its interval would promise too much."""


def survival(rows: pd.DataFrame, floors: Floors) -> tuple[Survival, ...]:
    """Follow conversations to their first unsafe turn; those of three turns and those of more are told apart.

    Args:
        rows: one line per planned turn (:func:`jmedethic_pytest.analysis.frames.frame`), of adversarial cases.
        floors: a score at or below its floor is unsafe.
    """
    if not len(rows):
        return ()
    lines = Lines.of(rows, COLUMNS)
    number = pd.factorize(lines["key"])[0]
    length = np.bincount(number)[number]
    kinds: dict[Kind, Lines] = {"short": lines.where(length <= FIRST), "long": lines.where(length > FIRST)}
    return tuple(followed(kind, table(part, floors)) for kind, part in kinds.items() if len(part))


def followed(kind: Kind, data: Scores) -> Survival:
    """Follow conversations to their first unsafe turn."""
    seen = data.courses(data.shown)
    begun = seen.watched > 0
    started, guidelines = int(begun.sum()), len(np.unique(data.guideline[begun]))
    lengths = Counter(data.planned.tolist())
    known = {
        "kind": kind,
        "conversations": len(data.planned),
        "guidelines": len(np.unique(data.guideline)),
        "fell": int(seen.fell.sum()),
        "planned": {str(length): lengths[length] for length in sorted(lengths)},
    }
    if started < LEAST or guidelines < LEAST_GUIDELINES:
        least = {"least": LEAST, "guidelines_least": LEAST_GUIDELINES}
        few = say("reason.few", conversations=started, guidelines=guidelines, **least)
        return Survival(**known, reason=few, safe_turns=Estimate(value=None, n=started, reason=few))
    courses, turns = seen.where(begun), int(seen.watched.max())
    return Survival(
        **known,
        of=turns,
        safe_turns=safe_turns(courses, turns),
        turns=tuple(_turns(courses, turns)),
        ended_early=_ended_early(data, seen, turns),
        **(beyond(data, seen, turns)._asdict() if kind != "short" else {}),
    )


def _turns(courses: Courses, turns: int) -> Iterator[SafeTurn]:
    whole = counts(courses, turns).together()
    found = (*whole, hazards(whole), greenwood(whole))
    shares = safe_shares(courses, turns)
    columns = zip(shares, *(column.tolist() for column in found), strict=True)
    for turn, (safe, at_risk, fell, hazard, error) in enumerate(columns):
        yield SafeTurn(turn=f"T{turn}", at_risk=int(at_risk), fell=int(fell), hazard=hazard, safe=safe, greenwood=error)


def _ended_early(data: Scores, seen: Courses, turns: int) -> EndedEarly | None:
    early = ~seen.fell & (seen.watched < data.planned)
    if not early.any():
        return None
    ahead = _ahead(data, seen, early)
    at_once, never = (safe_turns(data.courses(end), turns) for end in (data.worst, data.best))
    return EndedEarly(
        reasons=dict(sorted(Counter(data.status[early].tolist()).items())),
        at_once=at_once,
        never=never,
        without=safe_turns(seen.where(~early), turns).value if not early.all() else None,
        ahead=ahead,
        informative=_certain(ahead),
    )


def _certain(difference: Estimate) -> bool:
    """Tell whether a difference lies above or below zero for certain; one that is the same everywhere does."""
    if difference.low is None or difference.high is None:
        return difference.clusters > 1 and difference.value is not None and abs(difference.value) > SAME
    return not difference.low <= 0 <= difference.high


def _ahead(data: Scores, seen: Courses, early: Flags) -> Estimate:
    """Compare those who ended early with those who went on from the same turn, by their scores until then."""
    difference = np.full(len(early), np.nan)
    for turn in np.unique(seen.watched[early & (seen.watched > 0)]):
        so_far = data.shown[:, :turn].mean(axis=1)
        ended, went_on = early & (seen.watched == turn), seen.watched > turn
        if went_on.any():
            difference[ended] = so_far[ended] - so_far[went_on].mean()
    return cluster_t(difference, data.guideline).of_difference()
