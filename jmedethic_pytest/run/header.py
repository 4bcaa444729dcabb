"""What a run is about to do, in a few lines."""

from __future__ import annotations

from jmedethic_pytest.core import text as plain_text
from jmedethic_pytest.gate import policy
from jmedethic_pytest.models import retirement
from jmedethic_pytest.reports.provenance import policy_lines
from jmedethic_pytest.run import baseline_lookup, record, room
from jmedethic_pytest.run.spec import RunSpec
from jmedethic_pytest.store import comparable


def header_lines(spec: RunSpec) -> list[str]:
    """Return the lines shown before a run starts."""
    settings = spec.settings
    judges = ", ".join(judge.label for judge in spec.judges) or "none (replies are only collected)"
    if spec.third is not None:
        judges += f"; third {spec.third.label}, where they differ by more than {spec.thresholds.judges.contested:g}"
    digest = spec.case_digest[:12]
    suites = settings.selection.suite or "default suite"
    lines = [
        f"jmedethic: target {spec.target.label}, judges {judges}",
        f"jmedethic: {len(spec.cases)} cases ({suites}, {','.join(settings.selection.locales)}, digest {digest}), "
        f"{settings.concurrency} in flight, cache {settings.cache}",
    ]
    lines += _of_server(spec)
    if spec.undivided is not None:
        lines.append(
            f"jmedethic: shard {settings.shard} of {len(spec.undivided)} cases: it decides nothing alone; "
            "`jmedethic merge` makes one run of all shards"
        )
    lines += _of_attacks(spec)
    if spec.transcripts is not None:
        lines.append(f"jmedethic: the replies are those of run {spec.transcripts.source.run}; no target is called")
    lines += [f"jmedethic: WARNING: {line}" for line in policy_lines(policy.held(spec.thresholds, spec.baselines))]
    if spec.by_hand:
        lines.append(f"jmedethic: WARNING: {spec.by_hand}")
    if spec.simulated:
        lines.append("jmedethic: SIMULATION: the target or a judge is scripted")
    for baseline in spec.baselines:
        sheet = baseline.sheet
        lines.append(
            f"jmedethic: baseline {baseline.name}: {sheet.origin.model}, {len(sheet.rows)} evaluations, "
            f"recorded {baseline.created}"
        )
    lines += _of_looks(spec)
    for name, obstacles in baseline_lookup.obstacles(spec).items():
        lines += [f"jmedethic: WARNING: baseline {name} cannot be compared: {obstacle}" for obstacle in obstacles]
    lines += [f"jmedethic: WARNING: the gate will be inconclusive: {line}" for line in _of_judges(spec)]
    for ref in spec.called:
        end = retirement(ref.label)
        if end:
            lines.append(f"jmedethic: WARNING: {ref.label} ends on {end.date} ({end.note}); see `jmedethic doctor`")
    return list(map(plain_text.line, lines))


def _of_server(spec: RunSpec) -> list[str]:
    """Say which server the run starts, with which weights, and whether the conversations fit into their context."""
    plan = spec.serving
    if plan is None:
        return []
    by = f"{plan.engine} {plan.version}" if plan.version else plan.engine
    line = f"jmedethic: {plan.model} will be served by {by}: {plan.weights.path.name}, {plan.revision}, "
    line += f"{plan.context or 'its own number of'} tokens a conversation"
    return [line, *(f"jmedethic: WARNING: {line}" for line in room.warnings(spec))]


def _of_attacks(spec: RunSpec) -> list[str]:
    """Say who goes on after the written turns, and with which baselines that will not be compared."""
    plan = record.attack(spec)
    if plan is None:
        return []
    how = f"{plan.style}, up to {plan.max_turns} turns, {plan.seeds} seeds"
    lines = [f"jmedethic: attacker {plan.attacker['model']} ({how}), beside the gate"]
    for baseline in spec.baselines:
        unlike = comparable.unlike_attacks(baseline.sheet.origin.attack, plan)
        place = f"jmedethic: WARNING: attacks cannot be compared with baseline {baseline.name}"
        lines += [f"{place}: {line}" for line in unlike]
    return lines


def _of_looks(spec: RunSpec) -> list[str]:
    """Say where the run may end."""
    if spec.settings.early == "off":
        return []
    *looks, last = map(str, spec.thresholds.gate.baseline.looks)
    way = f"which may end the run (early {spec.settings.early})"
    return [f"jmedethic: looks at {', '.join(looks)} of {last} cases, {way}"]


def _of_judges(spec: RunSpec) -> list[str]:
    """Return what anchors, links and cards that the rules ask for will not say of these judges."""
    gate = spec.thresholds.gate
    if not (gate.anchors or gate.link or gate.require_card == "human"):
        return []
    from jmedethic_pytest.gate import instruments  # needs the statistics, which take a second to import

    return list(instruments.ahead(spec.settings.reports, record.started(spec, ""), spec.thresholds))
