"""What the validation did: refusal rates, how far validators and modes agree, and whom the filter favours.

The filter decides which questions the benchmark holds, so it can lean: towards subjects that models refuse by habit,
or towards the questions of one generator. The paper asks this of its own filter (appendix E); here it is asked of
every run, over categories and over generators.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import combinations

import numpy as np

from jmedethic_pytest.core.records import Record
from jmedethic_pytest.generation.machinery import guidelines
from jmedethic_pytest.generation.machinery.config import Config
from jmedethic_pytest.generation.machinery.files import summary_of
from jmedethic_pytest.generation.machinery.ledger import records
from jmedethic_pytest.generation.machinery.records import Answer, Question
from jmedethic_pytest.generation.stages.questions import NAME as QUESTIONS
from jmedethic_pytest.generation.stages.validate import ANSWERS, NAME, refused
from jmedethic_pytest.stats.estimate import Estimate, Test
from jmedethic_pytest.stats.intervals import wilson

SMALLEST_EXPECTED = 5.0
"""Least expected count of a cell for the chi-square test to hold (Cochran's rule, here for every cell)."""


class Validator(Record):
    """What one validator did."""

    name: str
    answers: int
    unknown: int
    """Answers that are neither a refusal nor none: blocked, cut or empty."""
    keyword: Estimate
    """Share of its answers that refuse, by keywords (0 to 1)."""
    judge: Estimate
    """The same by the refusal judge."""


class Pair(Record):
    """How far two sides say the same about the same answers or questions."""

    first: str
    second: str
    both: int
    """Answers both could be told for."""
    agreement: float | None
    """Share that is equal, 0 to 1."""
    kappa: float | None
    """Cohen's kappa: 1 full agreement, 0 as by chance; ``None`` where one side never varies."""
    only_first: int
    only_second: int
    """Refusals that only one of the two sees."""


class Share(Record):
    """Questions kept in one group."""

    group: str
    questions: int
    kept: Estimate


class Screening(Record):
    """The validation in figures."""

    mode: str
    validators: tuple[Validator, ...]
    pairs: tuple[Pair, ...]
    """Each two validators, by the mode that decides."""
    modes: Pair | None
    """Keywords against the judge, over all answers; ``None`` if no judge was asked."""
    by_category: tuple[Share, ...]
    by_generator: tuple[Share, ...]
    category_bias: Test
    generator_bias: Test
    undecided: int


def screening(config: Config) -> Screening:
    """Compute the figures of a finished validation."""
    answers: dict[str, dict[str, tuple[bool | None, bool | None]]] = defaultdict(dict)
    decided: dict[str, dict[str, bool | None]] = defaultdict(dict)
    for answer in records(config.folder, ANSWERS, Answer):
        answers[answer.validator][answer.question] = (answer.keyword, answer.judge)
        decided[answer.validator][answer.question] = refused(answer, config)
    kept = {question.id for question in records(config.folder, NAME, Question)}
    known = guidelines.choose(config).guidelines
    by_category, by_generator = _Groups(), _Groups()
    for question in records(config.folder, QUESTIONS, Question):
        guideline = known.get(question.guideline)
        by_category.add(guideline.category if guideline else "unknown", question.id in kept)
        by_generator.add(question.generator, question.id in kept)
    keyword = [found[0] for given in answers.values() for found in given.values()]
    judge = [found[1] for given in answers.values() for found in given.values()]
    return Screening(
        mode=config.validate_.mode,
        validators=tuple(_validator(name, given) for name, given in sorted(answers.items())),
        pairs=tuple(_pair(a, b, *_aligned(decided[a], decided[b])) for a, b in combinations(sorted(decided), 2)),
        modes=_pair("keyword", "judge", keyword, judge) if any(value is not None for value in judge) else None,
        by_category=by_category.shares(),
        by_generator=by_generator.shares(),
        category_bias=by_category.test("kept by category"),
        generator_bias=by_generator.test("kept by generator"),
        undecided=_undecided(config),
    )


def _undecided(config: Config) -> int:
    summary = summary_of(config.folder, NAME)
    return summary.drops.get("undecided", 0) if summary else 0


def _validator(name: str, given: Mapping[str, tuple[bool | None, bool | None]]) -> Validator:
    keyword = [found[0] for found in given.values()]
    judge = [found[1] for found in given.values()]
    return Validator(
        name=name, answers=len(given), unknown=keyword.count(None), keyword=_rate(keyword), judge=_rate(judge)
    )


def _rate(values: list[bool | None]) -> Estimate:
    return wilson(values.count(True), values.count(True) + values.count(False))


def _aligned(
    first: Mapping[str, bool | None], second: Mapping[str, bool | None]
) -> tuple[list[bool | None], list[bool | None]]:
    common = sorted(first.keys() & second.keys())
    return [first[key] for key in common], [second[key] for key in common]


def _pair(first: str, second: str, one: list[bool | None], other: list[bool | None]) -> Pair:
    """Compare two lists of judgements on the same things; what either cannot tell does not count."""
    counts = Counter((a, b) for a, b in zip(one, other, strict=True) if a is not None and b is not None)
    total = counts.total()
    equal = counts[True, True] + counts[False, False]
    yes_one = counts[True, True] + counts[True, False]
    yes_other = counts[True, True] + counts[False, True]
    chance = (yes_one * yes_other + (total - yes_one) * (total - yes_other)) / total**2 if total else 1.0
    return Pair(
        first=first,
        second=second,
        both=total,
        agreement=equal / total if total else None,
        kappa=(equal / total - chance) / (1 - chance) if total and chance < 1 else None,
        only_first=counts[True, False],
        only_second=counts[False, True],
    )


class _Groups:
    """Questions and kept questions by group."""

    def __init__(self) -> None:
        self._all: Counter[str] = Counter()
        self._kept: Counter[str] = Counter()

    def add(self, group: str, kept: bool) -> None:
        self._all[group] += 1
        self._kept[group] += kept

    def shares(self) -> tuple[Share, ...]:
        return tuple(
            Share(group=group, questions=count, kept=wilson(self._kept[group], count))
            for group, count in sorted(self._all.items())
        )

    def test(self, name: str) -> Test:
        """Test whether the share kept is the same in all groups; questions of one group count as independent."""
        if len(self._all) < 2:
            return Test(name=name, statistic=None, p=None, n=self._all.total(), reason="there is only one group")
        table = np.array([[self._kept[group], self._all[group] - self._kept[group]] for group in sorted(self._all)])
        expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
        if expected.min() < SMALLEST_EXPECTED:
            reason = f"a group is too small: fewer than {SMALLEST_EXPECTED:g} kept or dropped questions expected in it"
            return Test(name=name, statistic=None, p=None, n=int(table.sum()), reason=reason)
        from scipy import stats  # type: ignore[import-untyped] # slow to import

        found = stats.chi2_contingency(table, correction=False)
        cramer = float(np.sqrt(found.statistic / table.sum()))
        return Test(
            name=f"chi-square, {name}",
            statistic=float(found.statistic),
            p=float(found.pvalue),
            n=int(table.sum()),
            effects={"cramer_v": cramer},
        )
