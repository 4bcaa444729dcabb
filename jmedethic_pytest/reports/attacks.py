"""What an adaptive attacker made of a run, as plain text lines: for a terminal and for the Markdown summary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jmedethic_pytest.analysis.adaptive.figures import Adaptive, AttackComparison
from jmedethic_pytest.analysis.survival.records import Survival
from jmedethic_pytest.core.sentences import Said, joined, laid, say
from jmedethic_pytest.reports.terminal.survival import rest, unlike
from jmedethic_pytest.reports.wording import figure, interval, number, share, share_interval
from jmedethic_pytest.reports.words import all_words, word

_ROW = "{turn:<16} {share:>6} {ends:>17} {most:>8}"


def attack_lines(found: Adaptive) -> Iterator[str]:
    """Yield the figures, at most some 100 characters wide; intervals are 95 %, clustered by guideline."""
    attacker = say("attacked.script", attacker=found.attacker) if found.simulated else found.attacker
    yield say("attacked.title", attacker=attacker)
    yield say(
        "attacked.size",
        style=found.style,
        version=found.version,
        conversations=f"{found.conversations:,}",
        attacks=f"{found.attacks:,}",
        turns=found.max_turns,
    )
    calls = {"asked": found.asked, "calls": found.calls, "input": found.input_tokens, "output": found.output_tokens}
    yield say("attacked.attacker", **{name: f"{count:,}" for name, count in calls.items()})
    heads = {"share": say("column.rate"), "ends": say("column.interval"), "most": say("column.most")}
    yield laid(_ROW, turn=say("column.fell_by"), **heads)
    for row in found.broken:
        figures = {"share": share(row.share.value), "ends": share_interval(row.share), "most": share(row.most)}
        yield laid(_ROW, turn=row.turn, **figures)
    for seed in found.seeds:
        fell, turns = sum(seed.first.values()), _counts(seed.first)
        yield say("attacked.seed", seed=seed.seed, fell=fell, attacks=seed.attacks, turns=turns)
    yield say("attacked.others", ends=_counts(found.ends))
    safe = say("attacked.safe", figure=figure(found.safe_turns), turns=found.max_turns)
    same = found.safe_turns_least == found.safe_turns.value
    yield safe if same else say("attacked.safe.least", safe=safe, least=number(found.safe_turns_least))
    if found.survival is not None and found.survival.turns:
        yield from _survival(found.survival)
    for comparison in found.comparisons:
        yield from _against(comparison)


def _survival(found: Survival) -> Iterator[str]:
    """Say how long the conversations hold if those that ended early had gone on like the others."""
    if found.ended_early is not None:
        yield say("attacked.like", figure=figure(found.safe_turns))
        if found.ended_early.informative:
            yield say("attacked.unlike", unlike=unlike(found.ended_early))
    if found.rest is not None:
        yield say("attacked.rest", rest=rest(found))


def _against(found: AttackComparison) -> Iterator[str]:
    name, answer = say("attacked.against", name=found.baseline), _named("answer", found.answer)
    if found.difference is None:
        yield laid("{name:<16} {answer}", name=name, answer=answer)
        yield from (say("indented", line=obstacle) for obstacle in found.obstacles)
        return
    ends, pairs = interval(found.difference), f"{found.pairs:,}"
    difference = number(found.difference.value)
    yield say("attacked.difference", name=name, answer=answer, difference=difference, ends=ends, pairs=pairs)
    yield say("attacked.ends", low=number(found.worst_low), high=number(found.best_high))


def _counts(counts: Mapping[str, int]) -> Said:
    told = [laid("{name} {count}", name=_named("end", name), count=count) for name, count in counts.items()]
    return joined(told, en=", ", ja="、") or say("none")


def _named(kind: str, key: str) -> Said:
    """Return an answer of an attack, or how one ended, as the page names it in Japanese."""
    known = f"attack.{kind}.{key.replace(' ', '_')}"
    return Said(key, word(known).ja if known in all_words() else key)
