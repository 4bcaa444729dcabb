"""The figures of one run, computed once: terminal, files and reports all print this object."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from jmedethic_pytest.analysis.adaptive.figures import Adaptive
from jmedethic_pytest.analysis.counts import Counts
from jmedethic_pytest.analysis.degradation import Degradation, degradation
from jmedethic_pytest.analysis.distribution import NOT_COMPUTED, Distribution, columns, distribution, groups, share
from jmedethic_pytest.analysis.frames import attacks
from jmedethic_pytest.analysis.judge_reliability import JudgeReport, judge_report
from jmedethic_pytest.analysis.languages import Languages, languages
from jmedethic_pytest.analysis.lines import last, numbers
from jmedethic_pytest.analysis.robustness import Robustness
from jmedethic_pytest.analysis.survival.records import Survival
from jmedethic_pytest.analysis.survival.survival import survival
from jmedethic_pytest.analysis.table import NOT_EVALUATED, ScoreTable
from jmedethic_pytest.core.records import Record
from jmedethic_pytest.stats.agreement import Agreement, agreement
from jmedethic_pytest.stats.estimate import Estimate

__all__ = ["UNFINISHED", "Distribution", "Summary", "summarise"]

UNFINISHED = (NOT_EVALUATED, "skipped_budget")


class Helped(Record):
    """How replies met harmless requests, as the panel has it: the least that any of the judges says."""

    answered: int
    watered_down: int
    refused: int
    unknown: int
    """Not said by all judges, and by none to be less than answered."""


class Third(Record):
    """How often a third judge was asked, since the two of the panel lay too far apart."""

    judge: str
    asked: int
    missing: int
    """Of those: it gave no score, and the turn has none."""
    turns: int
    """On which a judge of the panel gave a score."""


class Summary(Record):
    """A run in figures. Twins are counted apart: they measure over-refusal, not safety under attack."""

    schema_version: Literal[1] = 1
    selected: int
    finished: int
    scored: int
    statuses: dict[str, int]
    missing_turns: int
    planned_turns: int
    attacks_scored: int
    """Different adversarial cases that were fully scored; repetitions and twins do not count."""
    attack_turns_missing: int
    attack_turns_planned: int
    counts: Counts = Counts()
    """Conversations, twins and conditions of the gate by what became of them; of a part of a run none are counted."""
    passed: int
    failed: int
    undecided: int
    """Cases without a complete set of scores that broke no floor."""
    pass_rate: float | None
    """passed / (passed + failed + undecided), adversarial cases only: what has no score is not shown to pass. ``None``
    if nothing was decided."""
    pass_interval: Estimate = NOT_COMPUTED
    """Cluster bootstrap over guidelines, from the undecided at their worst to the undecided at their best."""
    conversations: Distribution | None = None
    """Means over the turns of a conversation."""
    minimum: Distribution | None = None
    """Lowest scores of the conversations."""
    turns: tuple[Distribution, ...]
    branches: dict[str, int] = Field(default_factory=dict)
    """Adversarial conversations with branches by the one they took: ``refused``, ``complied``, ``ended before``."""
    strategies: tuple[Distribution, ...]
    """Conversation scores: the mean over a case's turns."""
    guidelines: tuple[Distribution, ...]
    categories: tuple[Distribution, ...]
    locales: tuple[Distribution, ...]
    personas: tuple[Distribution, ...] = ()
    adaptive: Adaptive | None = Field(default=None, exclude_if=lambda found: found is None)
    """What an adaptive attacker made of the conversations after their written turns; no other figure looks at it."""
    first_failing: dict[str, int] = Field(default_factory=dict)
    """Failed cases by the first turn at or below its floor."""
    degradation: Degradation | None = None
    """What is lost from turn to turn; ``None`` if no case has two turns."""
    survival: tuple[Survival, ...] = ()
    """How long conversations stay safe: those of three turns and those of more, as far as there are any."""
    languages: Languages | None = None
    """The same conversations in both languages; ``None`` unless the run has both."""
    agreement: Agreement
    third: Third | None = None
    """How often the third judge was asked; ``None`` if there was none to ask."""
    contested: int
    """Turns on which the judges lie further apart than the thresholds file allows."""
    instruments: JudgeReport | None = None
    """The judges as measuring instruments."""
    failed_twins: int
    twins: int
    twins_judged: int
    over_refusal: float | None
    """Share of twins whose last reply a judge called an unnecessary refusal."""
    over_refusal_interval: Estimate = NOT_COMPUTED
    """Cluster bootstrap over guidelines."""
    helped: dict[str, Helped] = Field(default_factory=dict)
    """How harmless requests were met: ``T0`` of the adversarial conversations, and every turn of the ``twins``."""
    robustness: Robustness | None = Field(default=None, exclude_if=lambda found: found is None)
    """How the same requests fare in other words; ``None`` if none was reworded."""

    @property
    def twins_alone(self) -> bool:
        """Whether benign twins have a rate and adversarial cases have none: the twins' is the one shown."""
        return self.pass_rate is None and self.twins > 0


def summarise(table: ScoreTable, *, selected: int, contested: float, third: str | None = None) -> Summary:
    """Compute the summary.

    Args:
        table: the run's scores.
        selected: cases the run was asked for; what is not in the table is missing.
        contested: distance between the judges above which a turn is contested.
        third: name of the third judge, if there was one to ask.
    """
    rows, cases = table.frame(), table.cases()
    attack_rows, attack_cases = attacks(rows), attacks(cases)
    whole = columns(attack_cases, "mean", "min", "failed")
    passed_n, failed_n = int((whole.failed == 0).sum()), int((whole.failed == 1).sum())
    conversations = distribution("conversations", whole)
    report = judge_report(rows, table.judges, contested=contested, flags=table.flags())
    statuses, turn = table.statuses, attack_rows["turn"].to_numpy()
    twin = rows["twin"].to_numpy(dtype=bool)
    twins_last = twin & last(rows["key"].to_numpy())
    marks = numbers(rows["over_refusal"])[twins_last]
    over_refusal = share(marks, rows["guideline"].to_numpy()[twins_last])
    return Summary(
        selected=selected,
        finished=statuses.total() - sum(statuses[word] for word in UNFINISHED),
        scored=statuses["scored"],
        statuses=dict(sorted(statuses.items())),
        missing_turns=int(np.isnan(rows["value"].to_numpy()).sum()),
        planned_turns=len(rows),
        attacks_scored=len(set(attack_cases["case"].to_numpy()[attack_cases["status"].to_numpy() == "scored"])),
        attack_turns_missing=int(np.isnan(attack_rows["value"].to_numpy()).sum()),
        attack_turns_planned=len(attack_rows),
        passed=passed_n,
        failed=failed_n,
        undecided=len(attack_cases) - passed_n - failed_n,
        pass_rate=conversations.pass_rate,
        pass_interval=conversations.pass_interval,
        conversations=conversations,
        minimum=distribution("minimum", whole._replace(values=whole.worst)),
        turns=groups(columns(attack_rows, "value", "value", "low"), _names(turn)),
        branches=dict(sorted(Counter(attack_cases["branch"].dropna()).items())),
        strategies=groups(whole, attack_cases["strategy"].to_numpy()),
        guidelines=groups(whole, attack_cases["guideline"].to_numpy(), descriptive=True),
        categories=groups(whole, attack_cases["category"].to_numpy(), descriptive=True),
        locales=groups(whole, attack_cases["locale"].to_numpy()),
        personas=groups(whole, attack_cases["persona"].to_numpy(), descriptive=True),
        first_failing=_first_failing(attack_cases["first_low"].to_numpy(), turn),
        degradation=degradation(attack_rows) if len(np.unique(turn)) > 1 else None,
        survival=survival(attack_rows, table.floors),
        languages=languages(attack_rows, attack_cases),
        agreement=agreement(rows["judge_1"].to_numpy(), rows["judge_2"].to_numpy()),
        third=Third(judge=third, **table.thirds()._asdict()) if third is not None else None,
        contested=report.contested,
        instruments=report,
        failed_twins=int((numbers(cases["failed"])[cases["twin"].to_numpy(dtype=bool)] == 1).sum()),
        twins=len(marks),
        twins_judged=int((~np.isnan(marks)).sum()),
        over_refusal=over_refusal.value,
        over_refusal_interval=over_refusal,
        helped=dict(_helped(T0=attack_rows["help"].to_numpy()[turn == 0], twins=rows["help"].to_numpy()[twin])),
    )


def _names(turns: NDArray[Any]) -> NDArray[Any]:
    """Return ``T0``, ``T1`` ... of turns."""
    each, place = np.unique(turns, return_inverse=True)
    return np.array([f"T{turn}" for turn in each], dtype=object)[place]


def _helped(**asked: NDArray[Any]) -> Iterator[tuple[str, Helped]]:
    """Count how harmless requests were met; nothing where no judge was asked."""
    for name, said in asked.items():
        counts = Counter(said[~pd.isna(said)])
        if counts:
            words = {word: counts[word] for word in ("answered", "watered_down", "refused")}
            yield name, Helped(**words, unknown=len(said) - counts.total())


def _first_failing(first: NDArray[Any], turns: NDArray[Any]) -> dict[str, int]:
    """Count the failed cases by their first turn at or below its floor; every turn of the run has an entry."""
    found = Counter(first[~np.isnan(first)].tolist())
    return {f"T{turn}": found[turn] for turn in np.unique(turns).tolist()}
