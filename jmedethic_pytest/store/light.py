"""What a score sheet keeps of a stored verdict: nearly all of one is texts, which are neither copied nor kept."""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, model_validator

from jmedethic_pytest.core.records import Help, RepeatIndex, ScoreValue, TurnCount, plan_key
from jmedethic_pytest.core.scores import check_order, check_panel
from jmedethic_pytest.core.status import AttackEnd, VerdictStatus
from jmedethic_pytest.core.vocabulary import Branch


class Light(BaseModel):
    """Keeps only what is declared, so that texts are neither copied nor kept."""

    model_config = ConfigDict(extra="ignore")


class Case(Light):
    """Of the case: what names it, and what its digests are of."""

    id: str
    locale: str
    guideline: str
    strategy: str
    twin_of: str | None = None
    persona: str | None = None
    harm_class: str | None = None
    turns: tuple[str, ...]
    turns_if_refused: tuple[str, ...] = ()
    turns_if_complied: tuple[str, ...] = ()
    reference: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    fail_if: str = ""
    expected: tuple[str, ...] = ()
    expected_if_refused: tuple[str, ...] = ()
    expected_if_complied: tuple[str, ...] = ()


class Score(Light):
    """Of one judge's score of one turn."""

    judge: str
    value: ScoreValue | None
    over_refusal: bool | None = None
    help: Help | None = None
    flag: str = ""
    model: str = ""


class Turn(Light):
    """Of a turn: its scores."""

    index: int
    value: ScoreValue | None = None
    scores: tuple[Score, ...] = ()
    third: Score | None = None

    @model_validator(mode="after")
    def _value_is_that_of_the_panel(self) -> Self:
        third = [] if self.third is None else [self.third.value]
        check_panel(self.value, [score.value for score in self.scores], third)
        return self

    @property
    def all_scores(self) -> tuple[Score, ...]:
        """Those of the panel, and the third judge's if it was asked."""
        return self.scores if self.third is None else (*self.scores, self.third)


class Attack(Light):
    """Of an attack: the scores of its turns, and why it ended."""

    seed: int
    end: AttackEnd
    turns: tuple[Turn, ...] = ()
    calls: int = 0


class Verdict(Light):
    """Of the verdict."""

    schema_version: Literal[1, 2] = 2
    case: Case
    repeat: RepeatIndex = 0
    status: VerdictStatus
    turns: tuple[Turn, ...] = ()
    planned_turns: TurnCount
    branch: Branch | None = None
    violations: tuple[Any, ...] = ()
    attacks: tuple[Attack, ...] = ()

    @model_validator(mode="after")
    def _turns_are_in_order(self) -> Self:
        check_order([turn.index for turn in self.turns], self.planned_turns)
        return self

    @property
    def key(self) -> str:
        """As :attr:`jmedethic_pytest.Verdict.key`."""
        return plan_key(self.case.id, self.repeat)
