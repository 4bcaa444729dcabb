"""May two runs be compared? Unlike judges, prompts, sampling or cases make their difference meaningless."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jmedethic_pytest.core.run_info import AttackPlan
from jmedethic_pytest.core.sentences import Said, named, say
from jmedethic_pytest.store.scores import Origin, Row, ScoreSheet

_SHOWN = 3
_OF_AN_ATTACK = ("style", "max_turns", "calls", "version", "prompt", "sampling")
"""What two attacks must have in common, beside the attacker; of seeds the common ones are compared."""
_OF_AN_ATTACKER = ("model", "kind", "structured", "dialect")


def obstacles(baseline: ScoreSheet, candidate: ScoreSheet) -> tuple[str, ...]:
    """Return every reason why a candidate must not be compared with a baseline; empty if it may."""
    return (*unlike(baseline.origin, candidate.origin), *_cases(baseline, candidate))


def unlike(baseline: Origin, candidate: Origin) -> tuple[str, ...]:
    """Return how two runs were not asked for the same: what can be told before the candidate's first call."""
    found = [
        *_ends(baseline, candidate),
        *_simulation(baseline, candidate),
        *_judges(baseline.judges, candidate.judges),
        *_parameters("judges", baseline.judging, candidate.judging),
        *_parameters("target", baseline.target, candidate.target),
    ]
    if baseline.judge_context != candidate.judge_context:
        found.append(_differ("judges.context", baseline.judge_context, candidate.judge_context))
    found += _prompts(baseline, candidate)
    found += [say("unlike.told", key=key) for key in retold([baseline, candidate])]
    if baseline.repeats != candidate.repeats:
        found.append(_differ(say("differ.repeats"), baseline.repeats, candidate.repeats))
    return tuple(found)


def _prompts(baseline: Origin, candidate: Origin) -> Iterator[str]:
    """Yield how judges were not asked the same, and the way over: scores of one prompt say nothing of the other's."""
    first, second = baseline.judge_prompt, candidate.judge_prompt
    before, now = prompts([baseline, candidate])
    if first != second:
        yield say("unlike.prompt", first=first, second=second)
    elif before != now:
        yield say("unlike.wording", before=before[:12], now=now[:12])


def prompts(origins: Sequence[Origin]) -> list[str]:
    """Return the digest of each run's prompts, taken in the same way: that of schema 1 if any run knows no other."""
    if any(not origin.guidelines for origin in origins):
        return [origin.prompts_schema_1 or origin.prompts for origin in origins]
    return [origin.prompts for origin in origins]


def retold(origins: Sequence[Origin]) -> list[str]:
    """Return the guidelines that judges were not told alike about in all of the runs that name them."""
    told: dict[str, set[str]] = defaultdict(set)
    for origin in origins:
        for key, digest in origin.guidelines.items():
            told[key].add(digest)
    return sorted(key for key, digests in told.items() if len(digests) > 1)


def notices(baseline: ScoreSheet, candidate: ScoreSheet) -> tuple[str, ...]:
    """Return what a reader should know, though it does not forbid the comparison."""
    found = []
    left = len(baseline.rows.keys() - candidate.rows.keys())
    if left:
        found.append(say("notice.part", here=len(candidate.rows), there=len(baseline.rows)))
    first, second = baseline.origin, candidate.origin
    if first.revision and first.revision == second.revision and _answered_otherwise(first.probes, second.probes):
        found.append(say("notice.probes", revision=first.revision))
    found += _served_otherwise(first.serving or {}, second.serving or {})
    for name, before in baseline.origin.served.items():
        now = candidate.origin.served.get(name, before)
        if before != now:
            found.append(say("notice.served", name=name, before=", ".join(before), now=", ".join(now)))
    addresses = {judge["model"]: judge.get("base_url") for judge in baseline.origin.judges}
    for judge in candidate.origin.judges:
        now_at = judge.get("base_url")
        known = addresses.get(judge["model"], now_at)
        if known != now_at and judge["kind"] != "demo":
            found.append(say("notice.address", name=judge["model"], before=known, now=now_at))
    return tuple(found)


def _served_otherwise(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Said]:
    """Yield how the targets were served otherwise: what differs may be the server's doing and not the weights'."""
    if bool(before) != bool(now):
        yield say("notice.own_server.baseline") if before else say("notice.own_server.run")
    for key in ("engine", "version", "flags"):
        if before and now and before[key] != now[key]:
            yield say("notice.server", key=key, before=before[key], now=now[key])


def _answered_otherwise(before: Sequence[str], now: Sequence[str]) -> bool:
    return any(old != new for old, new in zip(before, now, strict=False) if old and new)


def unlike_attacks(before: AttackPlan | None, now: AttackPlan) -> Iterator[str]:
    """Yield how two runs were not attacked alike: then what adaptive attackers made of them cannot be compared.

    Args:
        before: how the baseline's run was attacked, if it was.
        now: how the other one is.
    """
    if before is None:
        yield say("attack.none", next=say("attack.again"))
        return
    differing = [name for name in _OF_AN_ATTACK if getattr(before, name) != getattr(now, name)]
    changed = [name for name in _OF_AN_ATTACKER if before.attacker.get(name) != now.attacker.get(name)]
    for name in changed:
        yield _differ(f"attacker.{name}", before.attacker.get(name), now.attacker.get(name))
    for name in differing:
        yield _differ(f"attack.{name}", getattr(before, name), getattr(now, name))
    if changed or differing:
        yield say("attack.again")


def left_out(baseline: ScoreSheet, candidate: ScoreSheet) -> tuple[str, ...]:
    """Return which kinds of the baseline's cases the candidate left out whole: ``twins``, strategies, languages."""
    mine, theirs = candidate.rows.values(), baseline.rows.values()
    twins = _twin_locales(baseline) & {row.locale for row in mine} - _twin_locales(candidate)
    strategies = {row.strategy for row in theirs if not row.twin} - {row.strategy for row in mine if not row.twin}
    languages = {row.locale for row in theirs} - {row.locale for row in mine}
    return (*(["twins"] if twins else []), *sorted(strategies), *sorted(languages))


def _twin_locales(sheet: ScoreSheet) -> set[str]:
    return {row.locale for row in sheet.rows.values() if row.twin}


def _ends(baseline: Origin, candidate: Origin) -> Iterator[str]:
    for whose, run in (("baseline", baseline), ("run", candidate)):
        if run.status != "complete":
            yield say(f"unlike.status.{whose}", run=run.run, status=named("run_status", run.status))


def _simulation(baseline: Origin, candidate: Origin) -> Iterator[str]:
    def word(simulated: bool) -> Said:
        return say("differ.simulation" if simulated else "differ.real")

    if baseline.simulated_target != candidate.simulated_target:
        yield _differ(say("differ.target"), word(baseline.simulated_target), word(candidate.simulated_target))
    elif not candidate.simulated_target and any(judge["kind"] == "demo" for judge in candidate.judges):
        yield say("unlike.demo")


def _judges(baseline: Sequence[dict[str, Any]], candidate: Sequence[dict[str, Any]]) -> Iterator[str]:
    before, now = ([judge["model"] for judge in judges] for judges in (baseline, candidate))
    if sorted(before) != sorted(now):
        yield _differ(say("differ.judges"), ", ".join(before), ", ".join(now))
        return
    if before != now:
        yield _differ(say("differ.order"), ", ".join(before), ", ".join(now))
        return
    for first, second in zip(baseline, candidate, strict=True):
        for key in ("kind", "structured", "dialect", *(["base_url"] if second["kind"] == "demo" else [])):
            if first.get(key) != second.get(key):
                yield _differ(say("differ.judge", model=second["model"], key=key), first.get(key), second.get(key))


def _parameters(table: str, baseline: dict[str, Any], candidate: dict[str, Any]) -> Iterator[str]:
    for key in sorted(baseline.keys() | candidate.keys()):
        before, now = baseline.get(key), candidate.get(key)
        if (before or None) != (now or None) and not (before == 0 and now == 0):
            yield _differ(f"{table}.{key}", before, now)


def _cases(baseline: ScoreSheet, candidate: ScoreSheet) -> Iterator[str]:
    """Yield how the candidate's cases are not among the baseline's."""
    mine, theirs = candidate.rows, baseline.rows
    common = [key for key in mine if key in theirs]
    lacking = [key for key in mine if key not in theirs]
    if lacking:
        yield say("unlike.lacking", count=_count(lacking, mine), some=_some(lacking))
    changed = [key for key in common if mine[key].digest != theirs[key].digest]
    if changed:
        yield say("unlike.texts", count=_count(changed, mine), some=_some(changed))
    retold = [key for key in common if _told_otherwise(mine[key], theirs[key])]
    if retold and candidate.origin.judge_prompt == "item":
        yield say("unlike.retold", count=_count(retold, mine), some=_some(retold))
    moved = [key for key in common if _labels(mine[key]) != _labels(theirs[key])]
    if moved:
        yield say("unlike.labels", count=_count(moved, mine), some=_some(moved))
    shorter = [key for key in common if len(mine[key].turns) != len(theirs[key].turns)]
    if shorter:
        first = shorter[0]
        yield _differ(
            say("differ.turns", count=_count(shorter, mine)), len(theirs[first].turns), len(mine[first].turns)
        )
    if not any(not mine[key].twin for key in common):
        yield say("unlike.none")


def _told_otherwise(mine: Row, theirs: Row) -> bool:
    return bool(mine.told and theirs.told) and mine.told != theirs.told


def _labels(row: Row) -> tuple[str, str, str, bool]:
    return row.guideline, row.strategy, row.locale, row.twin


def _count(some: Sequence[str], rows: dict[str, Row]) -> Said:
    return say("evaluations", some=len(some), all=len(rows))


def _some(keys: Sequence[str]) -> str:
    return ", ".join(sorted(keys)[:_SHOWN]) + (", ..." if len(keys) > _SHOWN else "")


def _differ(what: str, before: object, now: object) -> Said:
    def shown(value: object) -> str:
        text = value if isinstance(value, Said) else say("differ.unset") if value in (None, {}) else str(value)
        return text if len(text) <= 60 else f"{text[:57]}..."

    return say("differ", what=what, before=shown(before), now=shown(now))
