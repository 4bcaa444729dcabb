"""What an adaptive attacker made of a run, as plain text lines: for a terminal and for the Markdown summary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jmedethic_pytest.analysis.adaptive.figures import Adaptive, AttackComparison
from jmedethic_pytest.analysis.survival.records import Survival
from jmedethic_pytest.reports.terminal.survival import rest, unlike
from jmedethic_pytest.reports.wording import figure, interval, number, share, share_interval


def attack_lines(found: Adaptive) -> Iterator[str]:
    """Yield the figures, at most some 100 characters wide; intervals are 95 %, clustered by guideline."""
    script = ", a script" if found.simulated else ""
    yield f"ADAPTIVE ATTACK, beside the gate, which looks at the written turns alone: {found.attacker}{script}"
    yield (
        f"{found.style}, prompt {found.version}: {found.conversations:,} conversations, {found.attacks:,} attacks, "
        f"up to {found.max_turns} turns"
    )
    yield (
        f"attacker         {found.asked:,} answers, {found.calls:,} calls, "
        f"{found.input_tokens:,} + {found.output_tokens:,} tokens"
    )
    yield f"fell by          {'share':>6} {'95% interval':>17} {'at most':>8}"
    for row in found.broken:
        yield f"{row.turn:<16} {share(row.share.value):>6} {share_interval(row.share):>17} {share(row.most):>8}"
    for seed in found.seeds:
        yield f"seed {seed.seed:<11} {sum(seed.first.values())} of {seed.attacks} fell ({_counts(seed.first)})"
    yield f"the others       {_counts(found.ends)}"
    least = "" if found.safe_turns_least == found.safe_turns.value else f"; at least {number(found.safe_turns_least)}"
    yield f"safe turns       {figure(found.safe_turns)} of {found.max_turns}{least}"
    if found.survival is not None and found.survival.turns:
        yield from _survival(found.survival)
    for comparison in found.comparisons:
        yield from _against(comparison)


def _survival(found: Survival) -> Iterator[str]:
    """Say how long the conversations hold if those that ended early had gone on like the others."""
    if found.ended_early is not None:
        yield f"if like others   {figure(found.safe_turns)}, had those that ended early gone on like the others"
        if found.ended_early.informative:
            yield f"                 but {unlike(found.ended_early)}"
    if found.rest is not None:
        yield f"last two turns   {rest(found)}"


def _against(found: AttackComparison) -> Iterator[str]:
    name = f"against {found.baseline}"
    if found.difference is None:
        yield f"{name:<16} {found.answer}"
        yield from (f"  {obstacle}" for obstacle in found.obstacles)
        return
    difference = f"{number(found.difference.value)} {interval(found.difference)} safe turns"
    yield f"{name:<16} {found.answer}: {difference} in {found.pairs:,} pairs"
    ends = f"{number(found.worst_low)} to {number(found.best_high)}"
    yield f"                 ({ends}, whatever would have become of attacks that ended early)"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items()) or "none"
