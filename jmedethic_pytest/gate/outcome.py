"""A finished run, as reports see it: computed when it ends, or again from what is stored, by the same function."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError

from jmedethic_pytest.analysis.adaptive.compare import compare as compare_attacks
from jmedethic_pytest.analysis.adaptive.figures import Adaptive, adaptive
from jmedethic_pytest.analysis.answering import Answering
from jmedethic_pytest.analysis.counts import Result, count, result
from jmedethic_pytest.analysis.failures import Failures, Kind
from jmedethic_pytest.analysis.failures import note as note_failure
from jmedethic_pytest.analysis.frames import attacks
from jmedethic_pytest.analysis.noninferiority.compare import compare
from jmedethic_pytest.analysis.noninferiority.records import Comparison
from jmedethic_pytest.analysis.provenance import Census, Provenance
from jmedethic_pytest.analysis.robustness import Reworded
from jmedethic_pytest.analysis.summary import Summary, summarise
from jmedethic_pytest.analysis.table import ScoreTable
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.config.tiers import PolicyTable
from jmedethic_pytest.core.errors import ConfigError, StoreError
from jmedethic_pytest.core.records import Condition, Gate, Verdict
from jmedethic_pytest.core.run_info import AttackPlan, RunInfo
from jmedethic_pytest.core.status import ExitStatus
from jmedethic_pytest.core.vocabulary import SHIPPED, Vocabulary
from jmedethic_pytest.gate import apart, instruments, looks, people, policy, tiers
from jmedethic_pytest.gate.apart import Whole
from jmedethic_pytest.gate.conditions import decide
from jmedethic_pytest.gate.figures import Figures
from jmedethic_pytest.gate.instruments import Anchored
from jmedethic_pytest.gate.parts import Place
from jmedethic_pytest.gate.policy import Held
from jmedethic_pytest.gate.tiers import Found
from jmedethic_pytest.judging import verdict as verdicts
from jmedethic_pytest.models.base import DEMO
from jmedethic_pytest.store import baselines as baseline_files
from jmedethic_pytest.store import companions, scores
from jmedethic_pytest.store import runs as run_files
from jmedethic_pytest.store.baselines import Baseline


@dataclass(frozen=True)
class Outcome:
    """A finished run: where it is stored and what it says."""

    path: Path
    info: RunInfo
    summary: Summary
    gate: Gate
    rules: Thresholds
    """The thresholds that were applied."""
    comparisons: tuple[Comparison, ...] = ()
    """The run against each of its baselines, in their order."""
    provenance: Provenance = field(default_factory=Provenance)
    """Which models answered."""
    held: tuple[Held, ...] = ()
    """How the thresholds that were applied differ from the shipped ones, and from those of each baseline."""
    beside: Callable[[Verdict], Verdict] | None = field(default=None, compare=False, repr=False)
    """Adds a baseline's scores to a verdict where a page shows both, in place of those that were stored with it."""
    parts: tuple[Found, ...] = field(default=(), repr=False)
    """What its suites came to, each in each language; empty unless it was decided by a policy."""
    failures: Mapping[Kind, Failures] = field(default_factory=dict, compare=False, repr=False)
    """The worst failures of each kind, and how many there are."""
    table: ScoreTable | None = field(default=None, compare=False, repr=False)
    """The scores, if they are at hand; ask :meth:`scores`."""

    @property
    def unmeasured(self) -> bool:
        """True if no conversation was scored since the run did not come to its end, or was not to be judged."""
        return not self.summary.scored and (self.info.status != "complete" or self.collected)

    @property
    def collected(self) -> bool:
        """True if the replies were only collected, and nobody was to score them."""
        return not self.info.judges

    def scores(self) -> ScoreTable:
        """Return the scores of the run, with what it did not reach.

        Raises:
            StoreError: if its verdicts cannot be read.
        """
        if self.table is not None:
            return self.table
        stored = (verdicts.under(verdict, self.rules) for verdict in self.verdicts())
        table = ScoreTable(stored, self.info.words, self.rules.floor_of)
        for verdict in run_files.read_unevaluated(self.path):
            table.add_unevaluated(verdict)
        return table

    def verdicts(self) -> Iterator[Verdict]:
        """Read the stored verdicts, one at a time: they hold the transcripts.

        Raises:
            StoreError: if a line is damaged.
        """
        return run_files.read_verdicts(self.path)

    def exit_status(self, *, strict: bool) -> ExitStatus:
        """Return 0: pass, 1: fail (with ``strict`` also for any failed case), 6: inconclusive, 7: budget spent.

        A shard has neither 0 nor 1: nothing follows from it.
        """
        if self.info.stopped_by_budget:
            return ExitStatus.BUDGET
        if self.info.shard is not None:
            return ExitStatus.INCONCLUSIVE
        if self.gate.answer == "fail" or (strict and (self.summary.failed or self.summary.failed_twins)):
            return ExitStatus.FAIL
        return ExitStatus.of(self.gate.answer)


class Evaluated:
    """The verdicts of a run, collected one by one, and what follows from them.

    Args:
        rules: the thresholds to apply.
        vocabulary: the words of the run.
        compared: whether the run will be compared with baselines.
    """

    def __init__(self, rules: Thresholds, vocabulary: Vocabulary = SHIPPED, *, compared: bool) -> None:
        self.table = ScoreTable(vocabulary=vocabulary, floors=rules.floor_of, compared=compared)
        """Their scores."""
        self._census, self._answering = Census(), Answering()
        self._rules = rules
        self._longest = 0
        self.places: dict[str, Place] = {}
        """Where each evaluation belongs."""
        self._different: dict[Place, Place] = {}
        self._results = Counter[tuple[bool, Result]]()
        self._failures: dict[Kind, Failures] = {}

    def add(self, verdict: Verdict) -> None:
        """Add a finished evaluation."""
        self.table.add(verdict)
        self._census.add(verdict)
        self._answering.add(verdict)
        if self._place(verdict):
            note_failure(self._failures, verdict, result(verdict))

    def add_unevaluated(self, empty: Verdict) -> None:
        """Add an evaluation that the run was asked for and did not reach."""
        self.table.add_unevaluated(empty)
        self._place(empty)

    def _place(self, verdict: Verdict) -> bool:
        """Remember where an evaluation belongs and what became of it; tell whether it is the first of its key."""
        self._longest = max(self._longest, verdict.case.length)
        if verdict.key in self.places:
            return False
        place = Place.of(verdict)
        self.places[verdict.key] = self._different.setdefault(place, place)  # one object for all of a place
        self._results[place.twin, result(verdict)] += 1
        return True

    def outcome(
        self,
        path: Path,
        info: RunInfo,
        *,
        baselines: Sequence[Baseline],
        trouble: str | None,
        case_turns: int = 0,
        lost: Sequence[Comparison] = (),
        held: Collection[str] | None = None,
    ) -> Outcome:
        """Compute the figures, compare with the baselines, and decide the gate.

        Args:
            path: where the run is stored.
            info: what the run was: target, judges, selection, and how many evaluations it was asked for.
            baselines: what it must not be worse than.
            trouble: why the run did not come to its proper end, if it did not.
            case_turns: user turns the longest selected case has, if longer than those collected.
            lost: comparisons that cannot be made, for want of their baselines.
            held: evaluations of all runs that are decided together; then also without a policy suite by suite.
        """
        rules, reports = self._rules, path.parent.parent
        if info.shard is not None:  # it is not decided, so there is nothing to hold it against
            baselines, lost = (), ()
        summary = self._summary(info, baselines)
        asked, anchors, told = self._instruments(reports, info)
        comparisons = (*self._compared(info, baselines, asked, anchors), *lost)
        provenance = self._census.result()
        robust = self._reworded(path, info, baselines)
        figures = Figures(
            self.table,
            summary,
            case_turns=max(case_turns, self._longest),
            turns=info.selection.get("turns"),
            simulated_judges=any(judge["kind"] == "demo" for judge in info.all_judges),
            simulated_target=info.target["kind"] == "demo",
            judged=bool(info.judges),
            aborted=trouble,
            comparisons=comparisons,
            robust=robust,
            shard=str(info.shard or ""),
            more=info.left_out("all", "full", *(("core", "default") if info.selection.get("pack") else ())),
            more_twins=info.left_out("all", "twins"),
            looks=info.looks,
            doubts=(*self._doubts(reports, info, baselines, provenance), *told),
        )
        gate = decide(figures, looks.at(asked, info.fractions).gate)
        parts: tuple[Found, ...] = ()
        if info.judges and info.shard is None and (rules.policy is not None or held is not None):
            whole = Whole(figures, info, asked, self.places, tuple(baselines), anchors.drift, tuple(lost))
            parts = tuple(apart.found(replace(whole, held=frozenset(held or ()))))
            gate = tiers.decide(rules.policy or PolicyTable(), parts)
        differing = policy.held(rules, baselines)
        summary = summary.model_copy(update={"counts": count(self._results.elements(), gate.conditions)})
        if robust is not None:
            summary = summary.model_copy(update={"robustness": robust.measured()})
        return Outcome(
            path,
            info,
            summary,
            gate,
            rules,
            comparisons,
            provenance,
            differing,
            parts=parts,
            failures=self._failures,
            table=self.table,
        )

    def _summary(self, info: RunInfo, baselines: Sequence[Baseline]) -> Summary:
        rules = self._rules.judges
        third = info.third["model"] if info.third is not None and rules.third is not None else None
        found = summarise(self.table, selected=info.selected, contested=rules.contested, third=third)
        if info.attack is None or not info.judges:
            return found
        return found.model_copy(update={"adaptive": self._adaptive(info, info.attack, baselines)})

    def _instruments(self, reports: Path, info: RunInfo) -> tuple[Thresholds, Anchored, list[Condition]]:
        """Return the rules as links and people's marks carry them over, the anchors, and what is to be said of them."""
        rules = self._rules
        anchors = instruments.anchored(reports, info, rules)
        asked, link = instruments.linked(reports, info, rules, self._mean() if rules.gate.link else None)
        card = instruments.carded(reports, info, rules)
        asked, study = people.narrowed(reports, info, instruments.panel_of(info), asked)
        told = (card, anchors.condition, link, study)
        return asked, anchors, [condition for condition in told if condition is not None]

    def _compared(
        self, info: RunInfo, baselines: Sequence[Baseline], asked: Thresholds, anchors: Anchored
    ) -> Iterator[Comparison]:
        if baselines and info.judges:
            sheet = looks.whole(self.table.sheet(info), info)
            for each in baselines:
                yield compare(each, sheet, asked, info.words, anchors.drift(each), info.fractions)

    def _doubts(
        self, reports: Path, info: RunInfo, baselines: Sequence[Baseline], provenance: Provenance
    ) -> Iterator[Condition]:
        """Yield what speaks against the run beside its scores."""
        rules = self._rules
        yield from provenance.conditions()
        yield from instruments.doubts(info, provenance, self._locales())
        if info.target["kind"] != DEMO:
            yield from self._answering.conditions()
        yield from policy.conditions(rules, baselines)
        yield from people.compared(reports, info, baselines, self._guidelines, looks.at(rules, info.fractions))

    def _reworded(self, path: Path, info: RunInfo, baselines: Sequence[Baseline]) -> Reworded | None:
        """Return the companions of a run that was asked for them, beside the originals."""
        asked = info.selection.get("perturb")
        if not asked or not info.judges or info.transcripts_of is not None:
            return None
        found = companions.scores(path)
        return Reworded(scores.origin(info, {}), self.table.rows, found, asked, self._rules, tuple(baselines))

    def _adaptive(self, info: RunInfo, plan: AttackPlan, baselines: Sequence[Baseline]) -> Adaptive:
        """Return what an attacker made of the conversations, and how that compares with the baselines."""
        floors = self._rules.floor_of
        compared = (compare_attacks(each, self.table.sheet(info), floors) for each in baselines)
        name = f"attacker {plan.attacker['model']}"
        spent = {"calls": info.calls.get(name, 0)}
        spent |= {f"{way}_tokens": info.tokens.get(name, {}).get(way, 0) for way in ("input", "output")}
        found = adaptive(self.table.rows.values(), plan, floors)
        return found.model_copy(update={"comparisons": tuple(compared), **spent})

    def _guidelines(self) -> dict[str, str]:
        """Return the guideline of every evaluation."""
        cases = self.table.cases()
        return dict(zip(cases["key"], cases["guideline"], strict=True))

    def _locales(self) -> set[str]:
        """Return the languages of the evaluations."""
        return set(self.table.cases()["locale"])

    def _mean(self) -> float | None:
        """Return the mean score of the attacks that were scored in full; ``None`` if none was."""
        means = attacks(self.table.cases())["mean"].dropna()
        return float(means.mean()) if len(means) else None


def load(
    path: Path,
    *,
    rules: Thresholds | None = None,
    baselines: Sequence[Baseline] | None = None,
    held: Collection[str] | None = None,
) -> Outcome:
    """Compute a stored run's outcome again.

    Args:
        path: the run's folder.
        rules: thresholds to apply instead of those the run was made with.
        baselines: what to compare it with instead of the baselines it was compared with when it was made.
        held: evaluations of all runs that are decided together with it, if it is not decided alone.

    Raises:
        StoreError: if the run cannot be read, or does not hold its thresholds and none are given.
    """
    info = run_files.read_info(path)
    applied = rules or stored_rules(path, info)
    lost: tuple[Comparison, ...] = ()
    if baselines is None:
        baselines, lost = _stored_baselines(path, info, applied)
    evaluated = Evaluated(applied, info.words, compared=bool(baselines))
    for verdict in run_files.read_verdicts(path):
        evaluated.add(verdicts.under(verdict, applied))
    for verdict in run_files.read_unevaluated(path):
        evaluated.add_unevaluated(verdict)
    info = info.model_copy(update={"selected": max(info.selected, len(evaluated.table.known()))})
    ended = info.status == "complete" or info.stopped_early
    trouble = None if ended else info.note or f"the run is {info.status}"
    return evaluated.outcome(path, info, baselines=baselines, trouble=trouble, lost=lost, held=held)


def _stored_baselines(
    path: Path, info: RunInfo, rules: Thresholds
) -> tuple[tuple[Baseline, ...], tuple[Comparison, ...]]:
    """Return the baselines a run was compared with, and an inconclusive comparison for each that is gone."""
    found: list[Baseline] = []
    lost: list[Comparison] = []
    for name in info.baselines:
        try:
            found.extend(baseline_files.load(path.parent.parent, [name]))
        except ConfigError as error:
            lost.append(
                Comparison(
                    baseline=name,
                    baseline_run="",
                    baseline_model="",
                    candidate_run=info.id,
                    candidate_model=info.target["model"],
                    obstacles=tuple(error.problems),
                    pairs=0,
                    clusters=0,
                    alpha=rules.gate.baseline.alpha,
                    answer="inconclusive",
                )
            )
    return tuple(found), tuple(lost)


def stored_rules(path: Path, info: RunInfo) -> Thresholds:
    """Return the thresholds a run was made with.

    Raises:
        StoreError: if ``run.json`` does not hold them.
    """
    judges = {"prompt": info.judge_prompt, **info.thresholds.get("judges", {})}  # older ones knew one prompt alone
    try:
        return Thresholds.model_validate({**info.thresholds, "judges": judges} if info.thresholds else {})
    except ValidationError:
        known = "holds no thresholds this version can read" if info.thresholds else "holds no thresholds"
        raise StoreError(f"{path / 'run.json'}: {known}. Give a thresholds file (--thresholds).") from None
