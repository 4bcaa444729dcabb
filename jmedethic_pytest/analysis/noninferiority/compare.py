"""The comparison of a run with a baseline: paired by case, language and repetition, clustered by guideline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from jmedethic_pytest.analysis.noninferiority.doubts import doubts
from jmedethic_pytest.analysis.noninferiority.drift import drift
from jmedethic_pytest.analysis.noninferiority.endpoints import AT_THE_END, endpoints, overall
from jmedethic_pytest.analysis.noninferiority.pairs import Flags, Pairs
from jmedethic_pytest.analysis.noninferiority.places import places
from jmedethic_pytest.analysis.noninferiority.records import CaseChange, Comparison, Endpoint
from jmedethic_pytest.analysis.noninferiority.regressions import regressed
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.scores import SLACK
from jmedethic_pytest.core.sentences import say
from jmedethic_pytest.core.vocabulary import SHIPPED, Vocabulary
from jmedethic_pytest.stats import sequential
from jmedethic_pytest.stats.drift import Shift
from jmedethic_pytest.stats.estimate import Test
from jmedethic_pytest.stats.paired import mcnemar, sign_flip
from jmedethic_pytest.store import comparable
from jmedethic_pytest.store.baselines import Baseline
from jmedethic_pytest.store.scores import ScoreSheet


def compare(
    baseline: Baseline,
    candidate: ScoreSheet,
    rules: Thresholds,
    words: Vocabulary = SHIPPED,
    shifted: Mapping[str, Shift] | None = None,
    fractions: tuple[float, ...] = AT_THE_END,
) -> Comparison:
    """Compare a run with a baseline, if they may be compared.

    Args:
        baseline: the older run.
        candidate: the newer run; a part of the baseline's cases is enough.
        rules: margins (``[gate.baseline]``), and the floors by which cases of **both** runs pass or fail.
        words: what the cases name.
        shifted: by how much judges have shifted each figure since the baseline, if anchors told.
        fractions: information at each look at the candidate, this one last (:mod:`jmedethic_pytest.stats.sequential`).
    """
    common = [row for key, row in candidate.rows.items() if key in baseline.sheet.rows and not row.twin]
    known = {
        "baseline": baseline.name,
        "baseline_run": baseline.sheet.origin.run,
        "baseline_model": baseline.sheet.origin.model,
        "candidate_run": candidate.origin.run,
        "candidate_model": candidate.origin.model,
        "pairs": len(common),
        "clusters": len({row.guideline for row in common}),
        "alpha": sequential.nominal(rules.gate.baseline.alpha, fractions, sequential.TO_PASS)[-1],
        "fractions": fractions,
    }
    notices = comparable.notices(baseline.sheet, candidate)
    obstacles = comparable.obstacles(baseline.sheet, candidate)
    if obstacles:
        return Comparison(**known, obstacles=obstacles, notices=notices, answer="inconclusive")
    pairs = Pairs(baseline.sheet, candidate, rules)
    attack = ~pairs.twin
    singles = _single_judges(baseline, candidate, rules)
    found = endpoints(pairs, rules.gate.baseline, shifted, fractions)
    alone = {judge: endpoints(own, rules.gate.baseline, fractions=fractions) for judge, own in singles.items()}
    left_out = [
        name for name in comparable.left_out(baseline.sheet, candidate) if name not in rules.gate.baseline.left_out
    ]
    fallen = places(pairs, words)
    answer, against = overall(found), (*doubts(pairs, found, alone, fallen, left_out), *drift(singles))
    new, fixed, both = _changes(pairs, attack)
    return Comparison(
        **known,
        notices=(*notices, *_other_branches(pairs), *_corrections(shifted or {}), *_small_drops(found)),
        endpoints=found,
        answer="inconclusive" if against and answer == "pass" else answer,
        doubts=against,
        flips=_flips(pairs, attack),
        new_failures=tuple(_change(pairs, index, candidate_fails=True) for index in new),
        fixed=tuple(_change(pairs, index, candidate_fails=False) for index in fixed),
        known_failures=len(both),
        regressed=(*regressed(pairs), *fallen.fell),
        single_judge={judge: overall(figures) for judge, figures in alone.items()},
    )


def _other_branches(pairs: Pairs) -> Iterator[str]:
    """Tell of conversations that went another way than in the baseline: not all of their turns can be compared."""
    gave_in, held = int(pairs.gave_in.sum()), int(pairs.held.sum())
    if gave_in or held:
        forked = sum(row.common is not None for row in pairs.rows)
        yield say("branches.other", count=gave_in + held, forked=forked, gave_in=gave_in, held=held)


def _corrections(shifted: Mapping[str, Shift]) -> Iterator[str]:
    """Say how figures were corrected for judges that score the same replies otherwise than they did."""
    mean = shifted.get("mean")
    if mean is not None and mean.value is not None:
        yield say("anchors.shifted", value=f"{mean.value:+.3f}", error=f"{mean.error:.3f}")


def _small_drops(found: Sequence[Endpoint]) -> list[str]:
    """Tell of figures that dropped for certain, though by less than is too much."""
    return [
        say("drop.small", name=endpoint.name, detail=endpoint.detail)
        for endpoint in found
        if endpoint.answer == "pass" and endpoint.difference.high is not None and endpoint.difference.high < -SLACK
    ]


def _changes(pairs: Pairs, attack: Flags) -> tuple[list[int], list[int], list[int]]:
    """Return the numbers of the attacks that fail anew, that no longer fail, and that fail in both runs.

    A case that fails now and was undecided in the baseline counts as new: nobody has seen it fail before.
    """
    passed = pairs.passed()
    failed_before, failed_now = (side.high < 0.5 for side in (passed.baseline, passed.candidate))
    passed_now = passed.candidate.low > 0.5
    both_failed = failed_before & failed_now & ~pairs.spared
    chosen = (failed_now & ~failed_before, failed_before & passed_now, both_failed)
    new, fixed, both = (np.flatnonzero(attack & flags).tolist() for flags in chosen)
    return new, fixed, both


def _flips(pairs: Pairs, attack: Flags) -> Test:
    """Test whether failures grew; ``clustered`` is the p-value that respects guidelines."""
    passed = pairs.passed().where(attack)
    difference = passed.difference
    test = mcnemar(int((difference < -0.5).sum()), int((difference > 0.5).sum()))
    clustered = sign_flip(difference, passed.guideline).p
    return test.model_copy(update={"effects": {**test.effects, "clustered": clustered}})


def _change(pairs: Pairs, index: int, *, candidate_fails: bool) -> CaseChange:
    before, now = pairs.before[index], pairs.rows[index]
    common = len(now.turns) if now.branch == before.branch else now.common
    return CaseChange(
        key=now.key,
        guideline=now.guideline,
        strategy=now.strategy,
        locale=now.locale,
        baseline=before.turns[:common] if candidate_fails else before.turns,
        candidate=now.turns if candidate_fails else now.turns[:common],
        turn=pairs.first_low((now if candidate_fails else before).turns, index),
    )


def _single_judges(baseline: Baseline, candidate: ScoreSheet, rules: Thresholds) -> dict[str, Pairs]:
    """Return the pairs by each judge's scores alone."""
    judges = [judge["model"] for judge in candidate.origin.judges]
    names = [name if judges.count(name) == 1 else f"{name} ({index + 1})" for index, name in enumerate(judges)]
    return {name: Pairs(baseline.sheet, candidate, rules, index) for index, name in enumerate(names)}
