"""What a run is about to do, in a few lines."""

from __future__ import annotations

from jmedethic_pytest.core import text as plain_text
from jmedethic_pytest.core.sentences import Said, changed, say
from jmedethic_pytest.gate import policy
from jmedethic_pytest.models import retirement
from jmedethic_pytest.reports.provenance import policy_lines
from jmedethic_pytest.run import baseline_lookup, record, room
from jmedethic_pytest.run.spec import RunSpec
from jmedethic_pytest.store import comparable


def header_lines(spec: RunSpec) -> list[str]:
    """Return the lines shown before a run starts."""
    settings = spec.settings
    judges = ", ".join(judge.label for judge in spec.judges) or say("header.no_judges")
    if spec.third is not None:
        points = f"{spec.thresholds.judges.contested:g}"
        judges = say("header.third", judges=judges, third=spec.third.label, points=points)
    lines: list[str] = [
        say("header.target", target=spec.target.label, judges=judges),
        say(
            "header.cases",
            cases=len(spec.cases),
            suites=settings.selection.suite or say("header.default_suite"),
            locales=",".join(settings.selection.locales),
            digest=spec.case_digest[:12],
            concurrency=settings.concurrency,
            cache=settings.cache,
        ),
    ]
    lines += _of_server(spec)
    if spec.undivided is not None:
        lines.append(say("header.shard", shard=settings.shard, cases=len(spec.undivided)))
    lines += _of_attacks(spec)
    if spec.transcripts is not None:
        lines.append(say("header.transcripts", run=spec.transcripts.source.run))
    lines += map(_warning, policy_lines(policy.held(spec.thresholds, spec.baselines)))
    if spec.by_hand:
        lines.append(_warning(spec.by_hand))
    if spec.simulated:
        lines.append(say("header.simulation"))
    for baseline in spec.baselines:
        facts = {"model": baseline.sheet.origin.model, "rows": len(baseline.sheet.rows), "created": baseline.created}
        lines.append(say("header.baseline", name=baseline.name, **facts))
    lines += _of_looks(spec)
    for name, obstacles in baseline_lookup.obstacles(spec).items():
        lines += [_warning(say("header.obstacle", name=name, obstacle=obstacle)) for obstacle in obstacles]
    lines += [_warning(say("header.inconclusive", line=line)) for line in _of_judges(spec)]
    for ref in spec.called:
        end = retirement(ref.label)
        if end:
            lines.append(_warning(say("header.ends", model=ref.label, date=end.date, note=end.note)))
    return [changed(line, plain_text.line) for line in lines]


def _warning(line: str) -> Said:
    return say("header.warning", line=line)


def _of_server(spec: RunSpec) -> list[str]:
    """Say which server the run starts, with which weights, and whether the conversations fit into their context."""
    plan = spec.serving
    if plan is None:
        return []
    by = f"{plan.engine} {plan.version}" if plan.version else plan.engine
    facts = {"weights": plan.weights.path.name, "revision": plan.revision}
    context = plan.context or say("header.context.own")
    line = say("header.served", model=plan.model, by=by, context=context, **facts)
    return [line, *map(_warning, room.warnings(spec))]


def _of_attacks(spec: RunSpec) -> list[str]:
    """Say who goes on after the written turns, and with which baselines that will not be compared."""
    plan = record.attack(spec)
    if plan is None:
        return []
    how = {"style": plan.style, "turns": plan.max_turns, "seeds": plan.seeds}
    lines: list[str] = [say("header.attacker", model=plan.attacker["model"], **how)]
    for baseline in spec.baselines:
        unlike = comparable.unlike_attacks(baseline.sheet.origin.attack, plan)
        lines += [_warning(say("header.attack.unlike", name=baseline.name, line=line)) for line in unlike]
    return lines


def _of_looks(spec: RunSpec) -> list[str]:
    """Say where the run may end."""
    if spec.settings.early == "off":
        return []
    *looks, last = map(str, spec.thresholds.gate.baseline.looks)
    return [say("header.looks", looks=", ".join(looks), last=last, early=spec.settings.early)]


def _of_judges(spec: RunSpec) -> list[str]:
    """Return what anchors, links and cards that the rules ask for will not say of these judges."""
    gate = spec.thresholds.gate
    if not (gate.anchors or gate.link or gate.require_card == "human"):
        return []
    from jmedethic_pytest.gate import instruments  # needs the statistics, which take a second to import

    return list(instruments.ahead(spec.settings.reports, record.started(spec, ""), spec.thresholds))
