"""What a run is asked to do, once all of it was found sound."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from jmedethic_pytest.cases import shards
from jmedethic_pytest.cases.index import CaseIndex
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.errors import ConfigError
from jmedethic_pytest.core.labels import Labelled
from jmedethic_pytest.core.plan import Planned
from jmedethic_pytest.models import ModelRef
from jmedethic_pytest.run.options import Settings
from jmedethic_pytest.serving.plan import Plan
from jmedethic_pytest.store.baselines import Baseline
from jmedethic_pytest.store.transcripts import StoredTranscripts

_NAMED = 10
"""Dropped cases that are named in a line for people; ``run.json`` names all."""


@dataclass(frozen=True)
class RunSpec:
    """A run that may start: its whole input, found sound."""

    settings: Settings
    thresholds: Thresholds
    thresholds_path: Path | None
    """``None`` for the built-in defaults."""
    cases: CaseIndex
    """The selected cases by id, in their order."""
    target: ModelRef
    judges: tuple[ModelRef, ...]
    baselines: tuple[Baseline, ...] = ()
    """What the run must not be worse than."""
    dropped: tuple[str, ...] = ()
    """Ids of selected cases that a plugin took out of the run."""
    reordered: bool = False
    """True if a plugin changed the order of the cases."""
    third: ModelRef | None = None
    """Who is asked where the two judges lie too far apart, if anybody is."""
    attacker: ModelRef | None = None
    """Who goes on where the written turns end, if anybody does."""
    transcripts: StoredTranscripts | None = None
    """The conversations to score, where no target is called."""
    serving: Plan | None = None
    """The server that it starts for its target, if it does."""
    undivided: CaseIndex | None = None
    """All selected cases, where ``cases`` are those of a shard."""

    def with_cases(self, kept: Sequence[Labelled], place: str) -> RunSpec:
        """Return the run with only these of its cases, in this order.

        Args:
            kept: some of the selected cases.
            place: who chose them, the start of each problem's line.

        Raises:
            ConfigError: naming every case that was not selected, or is there twice.
        """
        labels, ids = self.whole.labels, [getattr(case, "id", None) for case in kept]
        problems = [
            f"{place}: {case_id or case!r} was not selected; cases may be dropped and reordered, not added or changed."
            for case_id, case in zip(ids, kept, strict=True)
            if case_id not in labels or case is not labels[case_id]
        ]
        problems += [f"{place}: {case_id} is there twice." for case_id, count in Counter(ids).items() if count > 1]
        if problems:
            raise ConfigError(problems)
        chosen = set(ids)
        dropped = tuple(case_id for case_id in labels if case_id not in chosen)
        reordered = ids != [case_id for case_id in labels if case_id in chosen]
        if not dropped and not reordered:
            return self
        chosen_ones = self.whole.choose(labels[case.id] for case in kept)
        return replace(self, cases=chosen_ones, undivided=None, dropped=dropped, reordered=reordered).divided()

    @property
    def by_hand(self) -> str | None:
        """What a plugin did to the selection, in words; ``None`` if nothing."""
        if self.dropped:
            selected = len(self.dropped) + len(self.whole)
            named = ", ".join(self.dropped[:_NAMED]) + (", ..." if len(self.dropped) > _NAMED else "")
            return (
                f"a plugin dropped {len(self.dropped)} of {selected} selected cases (pytest_jmed_modify_cases): {named}"
            )
        return "a plugin reordered the selected cases (pytest_jmed_modify_cases)" if self.reordered else None

    def plan(self) -> Planned:
        """Return every evaluation of the run by its key: each case, and each repetition of it."""
        planned = Planned(self.cases, self.settings.repeats)
        return planned if self.transcripts is None else planned.only(self.transcripts.digests)

    @property
    def whole(self) -> CaseIndex:
        """The selected cases, those of other shards among them."""
        return self.cases if self.undivided is None else self.undivided

    def divided(self) -> RunSpec:
        """Return the run with only those of its cases that belong to its shard, if it is one.

        Raises:
            ConfigError: if there are fewer groups of cases than shards, or looks at the whole run were asked for.
        """
        part, labels = self.settings.shard, self.cases.labels
        if part is None or not labels:
            return self
        most, problems = shards.families(labels.values()), []
        if part.count > most:
            problems.append(
                f"--jmed-shard: {part} is not possible: {len(labels)} cases make {most} groups (a case with its other "
                f"language and its twin), so some shards would be empty. Give at most {most} shards."
            )
        if self.settings.early != "off":
            problems.append("--jmed-early: a look needs the whole run, and a shard is a part. Leave one of them out.")
        if problems:
            raise ConfigError(problems)
        places = shards.assign(list(labels.values()), part.count)
        mine = (label for label in labels.values() if places[label.id] == part.number - 1)
        return replace(self, cases=self.cases.choose(mine), undivided=self.cases)

    @cached_property
    def case_digest(self) -> str:
        """The digest of the selected cases."""
        return self.cases.digest

    @property
    def longest(self) -> int:
        """User turns of the longest selected case."""
        return max((label.length for label in self.cases.labels.values()), default=0)

    @property
    def all_judges(self) -> tuple[ModelRef, ...]:
        """Those of the panel, and the third."""
        return self.judges if self.third is None else (*self.judges, self.third)

    @property
    def called(self) -> tuple[ModelRef, ...]:
        """Every model that the run may call."""
        target = () if self.transcripts is not None else (self.target,)
        return (*target, *self.all_judges, *(() if self.attacker is None else (self.attacker,)))

    @property
    def simulated_judges(self) -> bool:
        """True if any judge is a demo simulation."""
        return any(judge.simulated for judge in self.all_judges)

    @property
    def simulated(self) -> bool:
        """True if target or a judge is a demo simulation."""
        return self.target.simulated or self.simulated_judges
