"""The comparison of packs as CSV and Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jmedethic_pytest.analysis.cultures.records import Contrast, Cultures
from jmedethic_pytest.reports import tables
from jmedethic_pytest.reports.cultures.lines import answer
from jmedethic_pytest.reports.wording import SIMULATION, figure, number, points, points_interval, share
from jmedethic_pytest.stats.estimate import Estimate


def csv(found: Cultures) -> str:
    """Return every figure, one a line: what it is, of which packs, models or kinds, value and ends of its interval."""
    rows = [{"simulated": found.simulated, **row, "unlike_runs": "; ".join(found.forced)} for row in _rows(found)]
    return tables.csv_bytes(tables.Table.of("cultures", rows)).decode("utf-8")


def markdown(found: Cultures) -> str:
    """Return packs, differences and strategies as tables."""
    blocks = [f"> {SIMULATION}"] if found.simulated else []
    blocks += [f"> Unlike runs: {difference}" for difference in found.forced]
    blocks += [f"> {notice}" for notice in found.notices]
    packs = [
        [
            item.name,
            *map(str, (len(item.models), item.guidelines, item.conversations)),
            figure(item.mean),
            share(item.pass_rate.value),
        ]
        for item in found.packs
    ]
    blocks.append(_table(["pack", "models", "guidelines", "scored", "mean", "pass rate"], packs))
    head = ["second minus first", "duties", "mean", "pass rate (points)", "answer", "strategies: tau-b", "carry over"]
    blocks.append(_table(head, [_contrast(item) for item in found.contrasts]))
    names = list(dict.fromkeys(name for pack in found.packs for name in pack.strategies))
    lowest = [[pack.name, *(number(pack.strategies.get(name)) for name in names)] for pack in found.packs]
    blocks.append(_table(["lowest turn", *names], lowest))
    if found.gaps:
        gaps = [[item.pack, f"{item.first} minus {item.second}", figure(item.gap)] for item in found.gaps]
        blocks.append(_table(["pack", "kinds", "gap"], gaps))
    return "\n\n".join(blocks) + "\n"


def _contrast(item: Contrast) -> list[str]:
    rate = f"{points(item.pass_rate.value)} {points_interval(item.pass_rate)}"
    order = [figure(item.tau), item.carried]
    return [f"{item.second} - {item.first}", str(item.groups), figure(item.mean), rate, answer(item), *order]


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


def _rows(found: Cultures) -> Iterator[dict[str, Any]]:
    for pack in found.packs:
        yield _row("mean", pack.name, "", pack.mean)
        yield _row("pass_rate", pack.name, "", pack.pass_rate)
        for name, value in pack.strategies.items():
            yield _row(f"lowest_turn[{name}]", pack.name, "", Estimate(value=value))
    for item in found.contrasts:
        packs = f"{item.second} - {item.first}"
        yield _row("difference_mean", packs, "", item.mean, item.finding)
        yield _row("difference_pass_rate", packs, "", item.pass_rate)
        yield _row("strategy_order_tau_b", packs, "", item.tau, item.carried)
        for model in item.models:
            yield _row("difference_mean", packs, model.model, model.mean)
    for gap in found.gaps:
        yield _row("kind_gap_mean", gap.pack, f"{gap.first} - {gap.second}", gap.gap)
    for change in found.changes:
        yield _row(
            "kind_gap_change",
            f"{change.packs[1]} - {change.packs[0]}",
            f"{change.first} - {change.second}",
            change.change,
            change.reason,
        )


def _row(name: str, packs: str, of: str, found: Estimate, answered: str = "") -> dict[str, Any]:
    ends = {"value": found.value, "low": found.low, "high": found.high}
    return {
        "figure": name,
        "packs": packs,
        "of": of,
        **ends,
        "clusters": found.clusters,
        "answer": answered,
        "reason": found.reason,
    }
