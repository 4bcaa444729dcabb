"""What a run is about to do, in three lines."""

from __future__ import annotations

from jmedethic_pytest.models import retirement
from jmedethic_pytest.reports.wording import SIMULATION
from jmedethic_pytest.run import baseline_lookup
from jmedethic_pytest.run.prepare import Prepared


def header_lines(prepared: Prepared) -> list[str]:
    """Return the lines shown before a run starts."""
    settings = prepared.settings
    judges = ", ".join(judge.label for judge in prepared.judges)
    digest = prepared.case_digest[:12]
    suites = settings.selection.suite or "default suite"
    lines = [
        f"jmedethic: target {prepared.target.label}, judges {judges}",
        f"jmedethic: {len(prepared.cases)} cases ({suites}, {','.join(settings.selection.locales)}, digest {digest}), "
        f"{settings.concurrency} in flight, cache {settings.cache}",
    ]
    if prepared.simulated:
        lines.append(f"jmedethic: {SIMULATION}")
    for baseline in prepared.baselines:
        sheet = baseline.sheet
        lines.append(
            f"jmedethic: baseline {baseline.name}: {sheet.origin.model}, {len(sheet.rows)} evaluations, "
            f"recorded {baseline.created}"
        )
    for name, obstacles in baseline_lookup.obstacles(prepared).items():
        lines += [f"jmedethic: WARNING: baseline {name} cannot be compared: {obstacle}" for obstacle in obstacles]
    for ref in (prepared.target, *prepared.judges):
        end = retirement(ref.label)
        if end:
            lines.append(f"jmedethic: WARNING: {ref.label} ends on {end.date} ({end.note}); see `jmedethic doctor`")
    return lines
