"""How long conversations stay safe under attack: followed from T0, through the written turns and the attacker's."""

from __future__ import annotations

from collections.abc import Iterable

from jmedethic_pytest.analysis import frames
from jmedethic_pytest.analysis.lines import Lines
from jmedethic_pytest.analysis.survival.records import Survival
from jmedethic_pytest.analysis.survival.scores import COLUMNS, table
from jmedethic_pytest.analysis.survival.survival import followed
from jmedethic_pytest.store.scores import AttackRow, Floors, Row

STOPPED = "stopped"
"""What is said of an attack that ended with an unsafe turn by the judges or floors of then, and by these without."""


def under_attack(rows: Iterable[Row], most: int, floors: Floors) -> Survival | None:
    """Follow every attack, of a conversation from one seed, to its first unsafe turn; ``None`` if there was none.

    One that ended early counts until then, as if it were to go on like the others; whether it was like them is told.

    Args:
        rows: the scores of a run.
        most: user turns at most, the written ones among them.
        floors: a score at or below its floor is unsafe.
    """
    attacks = [_course(row, attack, most) for row in rows for attack in row.attacks]
    return followed("attacked", table(Lines.of(frames.frame(attacks, floors), COLUMNS), floors)) if attacks else None


def _course(row: Row, attack: AttackRow, most: int) -> Row:
    """Return an attack as the scores of a conversation that was planned for all turns that it may have."""
    seen = (*row.turns, *attack.turns)[:most]
    return Row(
        key=f"{row.key}#{attack.seed}",
        locale=row.locale,
        guideline=row.guideline,
        strategy=row.strategy,
        digest="",
        turns=(*seen, *(None,) * (most - len(seen))),
        judges=(),
        status=STOPPED if attack.end == "reached" else attack.end,
    )
