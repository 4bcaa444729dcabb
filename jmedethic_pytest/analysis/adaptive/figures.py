"""The figures of an attacked run: how many conversations fell by which turn, and why the others ended.

Beside the gate, which looks at the written turns alone. An attack that ended early, for want of a turn or of a score,
says nothing of what would have come; every share therefore stands beside what it would be at most.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from jmedethic_pytest.analysis.adaptive.falls import Fall, falls
from jmedethic_pytest.analysis.adaptive.survival import STOPPED, under_attack
from jmedethic_pytest.analysis.survival.records import Survival
from jmedethic_pytest.core.records import Record
from jmedethic_pytest.core.run_info import AttackPlan
from jmedethic_pytest.core.sentences import Sentence
from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.stats.intervals import bootstrap_mean, bootstrap_share
from jmedethic_pytest.store.scores import Floors, Row

COMPLETE = "turns"
"""How an attack ends that the target withstood to the last turn."""


class Broken(Record):
    """Conversations that had fallen at a turn."""

    turn: str
    """``T0`` ...."""
    share: Estimate
    """Of all attacks: fell at this turn or before (0 to 1); those that ended early count as held."""
    most: float
    """The same if every attack that had ended early by then had fallen."""


class Seed(Record):
    """The attacks from one seed."""

    seed: int
    attacks: int
    first: dict[str, int]
    """Those that fell, by their first unsafe turn."""
    ends: dict[str, int]
    """The others, by why they ended."""


class AttackComparison(Record):
    """An attacked run against an attacked baseline; candidate minus baseline, above zero is safer."""

    baseline: str
    obstacles: tuple[Sentence, ...] = ()
    """Why the attacks cannot be compared."""
    pairs: int = 0
    """Attacks, of one conversation from one seed, in both."""
    difference: Estimate | None = None
    """In safe turns; those that ended early count as held in both."""
    worst_low: float | None = None
    """Lower end of its interval, whatever would have become of the attacks that ended early ..."""
    best_high: float | None = None
    """... and its upper end."""
    answer: str
    """``safer``, ``less safe``, ``no difference shown`` or ``inconclusive``."""


class Adaptive(Record):
    """What an adaptive attacker made of the conversations."""

    attacker: str
    simulated: bool
    """Whether the attacker is a script."""
    style: str
    version: str
    """Of its prompt."""
    max_turns: int
    conversations: int
    attacks: int
    """Conversations times seeds."""
    fell: int
    """Of the attacks."""
    broken: tuple[Broken, ...]
    safe_turns: Estimate
    """Mean of the turns before the first unsafe one, of ``max_turns``; those that ended early count as held."""
    safe_turns_least: float | None
    """The same if every attack that ended early had fallen at once."""
    survival: Survival | None = None
    """The same where those that ended early are taken to go on like the others, turn by turn; and whether the
    conversations go on falling. ``None`` if nothing was attacked."""
    seeds: tuple[Seed, ...]
    ends: dict[str, int]
    """Attacks without an unsafe turn, by why they ended: ``turns`` is a target that held to the last."""
    asked: int
    """Answers that were asked of the attacker, of a server or of the cache ..."""
    calls: int = 0
    """... and the calls to a server among them, each attempt for itself ..."""
    input_tokens: int = 0
    """... with the tokens of their prompts ..."""
    output_tokens: int = 0
    """... and of the answers."""
    comparisons: tuple[AttackComparison, ...] = ()


def adaptive(rows: Iterable[Row], plan: AttackPlan, floors: Floors) -> Adaptive:
    """Compute the figures of an attacked run.

    Args:
        rows: its scores.
        plan: how it was attacked.
        floors: at or below which a turn is unsafe.
    """
    attacked, most = [row for row in rows if row.attacks], plan.max_turns
    found = [fall for row in attacked for fall in falls(row, floors, most)]
    clusters = [fall.row.guideline for fall in found]
    safe = [fall.safe(most, held=True) for fall in found]
    least = [fall.safe(most, held=False) for fall in found]
    return Adaptive(
        attacker=plan.attacker["model"],
        simulated=plan.attacker["kind"] == "demo",
        style=plan.style,
        version=plan.version,
        max_turns=most,
        conversations=len(attacked),
        attacks=len(found),
        fell=sum(fall.turn is not None for fall in found),
        broken=tuple(_broken(turn, found, clusters) for turn in range(most)) if found else (),
        safe_turns=bootstrap_mean(safe, clusters),
        safe_turns_least=sum(least) / len(least) if least else None,
        survival=under_attack(attacked, most, floors),
        seeds=tuple(_seed(seed, found) for seed in sorted({fall.seed for fall in found})),
        ends=_ends(found),
        asked=sum(attack.calls for row in attacked for attack in row.attacks),
    )


def _broken(turn: int, found: Sequence[Fall], clusters: Sequence[str]) -> Broken:
    fell = [fall.turn is not None and fall.turn <= turn for fall in found]
    open_ends = sum(fall.turn is None and fall.seen <= turn for fall in found)
    share = bootstrap_share([float(one) for one in fell], clusters)
    return Broken(turn=f"T{turn}", share=share, most=(sum(fell) + open_ends) / len(found))


def _seed(seed: int, found: Sequence[Fall]) -> Seed:
    own = [fall for fall in found if fall.seed == seed]
    first = Counter(fall.turn for fall in own if fall.turn is not None)
    return Seed(seed=seed, attacks=len(own), first={f"T{turn}": first[turn] for turn in sorted(first)}, ends=_ends(own))


def _ends(found: Iterable[Fall]) -> dict[str, int]:
    counts = Counter(STOPPED if fall.end == "reached" else fall.end for fall in found if fall.turn is None)
    return dict(sorted(counts.items(), key=lambda item: (item[0] != COMPLETE, item[0])))
