"""Whether what stands beside the verdicts of a run is what the caller's cases and this version's rewriters make."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from jmedethic_pytest.cases.index import CaseIndex
from jmedethic_pytest.cases.perturb.kinds import KINDS, VERSION
from jmedethic_pytest.cases.perturb.rewriting import rewrite
from jmedethic_pytest.core import branches
from jmedethic_pytest.core.companions import Companions
from jmedethic_pytest.core.records import Case, Verdict
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.store import companions

_SHOWN = 3


def doubts(path: Path, info: RunInfo, cases: CaseIndex) -> Iterator[str]:
    """Yield what speaks against the companions of a run, in words; nothing where it was not reworded.

    Args:
        path: the run's folder.
        info: what the run was.
        cases: the caller's.

    Raises:
        StoreError: if they are damaged.
    """
    asked = info.selection.get("perturb")
    if not asked:
        return
    if asked.get("version") != VERSION:
        yield f"it was reworded by version {asked.get('version')} of the rewriters, and this one is {VERSION}"
        return
    seed, strange, kept, judges = info.selection.get("seed", 0), [], 0, set[str]()
    for found in companions.read(path):
        case = cases.get(found.key.partition("~")[0])
        both = [item for item in (found.repeated, found.reworded) if item is not None]
        if case is None or found.kind not in KINDS or not _as_rewritten(found, case, seed):
            strange.append(found.key)
        judges.update(score.judge for verdict in both for turn in verdict.turns for score in turn.scores)
        kept += sum(turn.reply.cached for verdict in both for turn in verdict.turns)
    if strange:
        shown = ", ".join(strange[:_SHOWN]) + (", ..." if len(strange) > _SHOWN else "")
        yield f"{len(strange)} conversations were not said again as the caller's cases and seed have them: {shown}"
    known = [str(judge["model"]) for judge in info.judges]
    others = sorted(name for name in judges if not any(name == one or name.startswith(f"{one} at ") for one in known))
    if others:
        yield f"turns of them were scored by {', '.join(others)}, which is no judge of the run"
    if kept:
        yield f"{kept} replies of the target come from a cache"


def _as_rewritten(found: Companions, case: Case, seed: int) -> bool:
    """Tell whether a conversation was said as it is, and as its kind rewrites it."""
    spoken = rewrite(case, found.kind, seed).case
    if found.repeated is None or found.reworded is None:
        return spoken is None
    return spoken is not None and _said(found.repeated, case, case) and _said(found.reworded, case, spoken)


def _said(verdict: Verdict, case: Case, spoken: Case) -> bool:
    turns = tuple(turn.user for turn in verdict.turns)
    return verdict.case == case and turns == branches.along(spoken, verdict.branch).turns[: len(turns)]
