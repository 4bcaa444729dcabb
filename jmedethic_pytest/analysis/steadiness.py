"""Whether the judges of a run are as they were: the check of its anchors that speaks for it, and what it corrects."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from jmedethic_pytest.analysis.anchoring import as_shift
from jmedethic_pytest.stats.drift import Shift
from jmedethic_pytest.store.anchors import AnchorSet, Check
from jmedethic_pytest.store.judge_files import PanelOf

FRESH = timedelta(days=7)
"""How far a check may lie from the run for which it speaks."""


def speaking(about: AnchorSet, checks: Sequence[Check], panel: PanelOf, at: str) -> Check | None:
    """Return the check that is nearest to a moment, by this panel on these anchors; ``None`` if none is near."""
    usable = [item for item in checks if item.content == about.content and not item.panel.unlike(panel)]
    near = min(usable, key=lambda item: _apart(item.at, at), default=None)
    return near if near is not None and _apart(near.at, at) <= FRESH else None


def drift_since(about: AnchorSet, checks: Sequence[Check], now: Check, since: str) -> Mapping[str, Shift]:
    """Return by how much each figure has shifted since a baseline was scored.

    Anchors that were frozen about then tell it at once; else a check made about then is subtracted, with its error. If
    there is none, it is the shift since they were frozen: what moved before is not seen.

    Args:
        about: the anchors.
        checks: all of them.
        now: the check that speaks for the candidate.
        since: when the baseline was scored.
    """
    shifts = {name: as_shift(found) for name, found in now.figures.items()}
    then = None if _apart(about.created, since) <= FRESH else speaking(about, checks, now.panel, since)
    return shifts if then is None else {name: _less(found, then, name) for name, found in shifts.items()}


def _less(now: Shift, then: Check, name: str) -> Shift:
    """Return a shift since an earlier check."""
    before = as_shift(then.figures[name]) if name in then.figures else Shift(None)
    if now.value is None or before.value is None:
        return now._replace(value=None)
    error = math.hypot(now.error, before.error)
    return now._replace(value=now.value - before.value, error=error, freedom=min(now.freedom, before.freedom))


def _apart(one: str, other: str) -> timedelta:
    try:
        return abs(datetime.fromisoformat(one) - datetime.fromisoformat(other))
    except (ValueError, TypeError):  # no moment, or one without a time zone
        return timedelta.max
