"""What an adaptive attacker made of the conversations, in both languages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from jmedethic_pytest.analysis.adaptive.figures import Adaptive, AttackComparison
from jmedethic_pytest.gate.outcome import Outcome
from jmedethic_pytest.reports.page.survival import under_attack
from jmedethic_pytest.reports.wording import figure, interval, number, share, share_interval
from jmedethic_pytest.reports.words import Text, plain, word


class Line(NamedTuple):
    """How many attacks had reached their goal at a turn."""

    turn: str
    share: str
    interval: str
    most: str


class Section(NamedTuple):
    """The part of the page."""

    about: Text
    script: bool
    """Whether the attacker is a simulation."""
    lines: list[Line]
    facts: list[tuple[Text, Text]]
    comparisons: list[tuple[Text, Text, tuple[str, ...]]]
    """Name, answer with figures, and why there is none."""


def section(outcome: Outcome) -> Section | None:
    """Return what an attacker made of a run; ``None`` if it was not attacked."""
    found = outcome.summary.adaptive
    if found is None:
        return None
    about = word(
        "attack.about",
        attacker=found.attacker,
        style=word(f"attack.style.{found.style}"),
        version=found.version,
        conversations=found.conversations,
        attacks=found.attacks,
        turns=found.max_turns,
        asked=found.asked,
        calls=found.calls,
        given=found.input_tokens,
        made=found.output_tokens,
    )
    lines = [Line(row.turn, share(row.share.value), share_interval(row.share), share(row.most)) for row in found.broken]
    return Section(about, found.simulated, lines, list(_facts(found)), [_against(one) for one in found.comparisons])


def _facts(found: Adaptive) -> Iterator[tuple[Text, Text]]:
    safe = word("attack.safe.of", figure=figure(found.safe_turns), turns=found.max_turns)
    yield word("attack.safe"), safe
    yield word("attack.safe.least"), plain(number(found.safe_turns_least))
    if found.survival is not None and found.survival.turns:
        yield from under_attack(found.survival)
    for seed in found.seeds:
        fell = word("attack.seed.fell", fell=sum(seed.first.values()), attacks=seed.attacks)
        yield word("attack.seed", seed=seed.seed), _joined(fell, _counts(seed.first, ""))
    yield word("attack.ends"), _counts(found.ends, "attack.end.")


def _against(found: AttackComparison) -> tuple[Text, Text, tuple[str, ...]]:
    answer = word(f"attack.answer.{found.answer.replace(' ', '_')}")
    title = word("attack.against", name=found.baseline)
    if found.difference is None:
        return title, answer, found.obstacles
    figures = word(
        "attack.difference",
        difference=number(found.difference.value),
        interval=interval(found.difference),
        pairs=found.pairs,
        low=number(found.worst_low),
        high=number(found.best_high),
    )
    return title, _joined(answer, figures), ()


def _counts(counts: Mapping[str, int], prefix: str) -> Text:
    """Return counts by name; the names are words of the page if they have a prefix."""
    parts = [(word(prefix + name) if prefix else plain(name), count) for name, count in counts.items()]
    return Text(
        ", ".join(f"{name.en} {count}" for name, count in parts) or "-",
        "、".join(f"{name.ja} {count} 件" for name, count in parts) or "-",
    )


def _joined(first: Text, second: Text) -> Text:
    return Text(f"{first.en} ({second.en})", f"{first.ja}({second.ja})")
