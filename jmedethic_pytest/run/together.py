"""Several stored runs, and exams, of one model, decided together by one policy; nothing is called."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jmedethic_pytest.analysis import same_table
from jmedethic_pytest.analysis.stored import StoredRun
from jmedethic_pytest.config import tables as thresholds_file
from jmedethic_pytest.config.policy import differences
from jmedethic_pytest.config.tiers import PolicyTable
from jmedethic_pytest.core.errors import ConfigError, StoreError
from jmedethic_pytest.core.records import Gate
from jmedethic_pytest.core.run_info import RunInfo
from jmedethic_pytest.core.secrets import public_url
from jmedethic_pytest.exam import stored as exams
from jmedethic_pytest.exam.stored import ExamResult
from jmedethic_pytest.gate import exam as exam_gate
from jmedethic_pytest.gate import outcome, tiers
from jmedethic_pytest.gate.tiers import Found
from jmedethic_pytest.store import runs as run_files
from jmedethic_pytest.store import scores as run_scores
from jmedethic_pytest.store.baselines import Baseline
from jmedethic_pytest.store.scores import ScoreSheet


@dataclass(frozen=True)
class _Run:
    path: Path
    info: RunInfo
    sheet: ScoreSheet


@dataclass(frozen=True)
class Decision:
    """What several runs came to together."""

    gate: Gate
    runs: tuple[RunInfo, ...]
    exams: tuple[ExamResult, ...]

    @property
    def simulated(self) -> bool:
        """Whether anything of it is a demo simulation."""
        return any(run.simulated for run in self.runs)

    def head(self) -> list[str]:
        """Return what was decided upon, in lines."""
        first = self.runs[0]
        judges = ", ".join(judge["model"] for judge in first.judges)
        held = [*(run.id for run in self.runs), *(exam.id for exam in self.exams)]
        return [f"target {first.target['model']}, judges {judges}", f"together: {', '.join(held)}"]


def decide(
    names: Sequence[str],
    *,
    reports: Path,
    thresholds: Path | None = None,
    baselines: Sequence[Baseline] | None = None,
) -> Decision:
    """Decide several runs by one policy; without one every suite in every language is critical.

    Args:
        names: runs and exams: ids, parts of them, paths.
        reports: where they are stored.
        thresholds: the rules to apply; without it those the runs were made with, which must be the same.
        baselines: what to compare each run with instead of the baselines it was made with.

    Raises:
        ConfigError: if they are not of one model by the same judges and rules, or one suite is in two of them.
        StoreError: if one cannot be found or read.
    """
    runs, sat = _read(reports, names)
    problems = [*_unlike(runs), *_other_exams(runs[0], sat)]
    rules = thresholds_file.load(thresholds, Path.cwd())[0] if thresholds else None
    if rules is None:
        problems += _other_rules(runs)
    if problems:
        raise ConfigError(problems)
    if rules is not None:
        for run in runs:
            rules.require_strategies(run.info.words.strategies, thresholds)
    held = {key for run in runs for key in run.sheet.rows}
    made = [outcome.load(run.path, rules=rules, baselines=baselines, held=held) for run in runs]
    applied = made[0].rules
    policy = applied.policy or PolicyTable()
    found = [*(part for one in made for part in one.parts), *(exam_gate.found(exam, policy) for exam in sat)]
    _require(policy, found, runs, thresholds or "the runs' thresholds")
    return Decision(tiers.decide(policy, found), tuple(one.info for one in made), tuple(sat))


def _read(reports: Path, names: Sequence[str]) -> tuple[list[_Run], list[ExamResult]]:
    """Find and read every run and exam.

    Raises:
        ConfigError: naming every one that is named twice, or if there is no run among them.
        StoreError: for one that is neither, or cannot be read.
    """
    runs: list[_Run] = []
    sat: list[ExamResult] = []
    for name in names:
        try:
            path = run_files.find_run(reports, name)
        except StoreError as error:
            exam = exams.find(reports, name)
            if exam is None:
                raise StoreError(f"{error} It is no stored exam either.") from None
            sat.append(exam)
        else:
            runs.append(_Run(path, run_files.read_info(path), run_scores.read(path)))
    counts = Counter([*(run.info.id for run in runs), *(exam.id for exam in sat)])
    problems = [f"{name} is named {count} times. Give each run once." for name, count in counts.items() if count > 1]
    if not runs:
        problems.append("exams alone decide nothing: name a run beside them.")
    if problems:
        raise ConfigError(problems)
    return runs, sat


_MODELS: dict[str, Callable[[RunInfo], Any]] = {
    "target": lambda info: info.target["model"],
    "its address": lambda info: public_url(info.target.get("base_url") or "") or "none",
    "its revision": lambda info: info.target.get("revision") or "none stated",
    "the name it was served under": lambda info: ", ".join(sorted(info.identity.served.get("target", {}))) or "none",
    "addresses of the judges": lambda info: [
        public_url(judge.get("base_url") or "") or "none" for judge in info.all_judges
    ],
    "third judge": lambda info: info.third["model"] if info.third is not None else "none",
}
"""What runs must have in common, beside how target and judges were asked."""


def _unlike(runs: Sequence[_Run]) -> Iterator[str]:
    """Yield how the runs are not of one model by one panel."""
    for what, fact in _MODELS.items():
        values = {run.info.id: fact(run.info) for run in runs}
        first = next(iter(values))
        for name, value in values.items():
            if value != values[first]:
                yield f"{what} differs: {values[first]} in {first}, {value} in {name}. Give runs of one model"
                break
    tables = [StoredRun(run.info.id, run.sheet) for run in runs]
    yield from same_table.unlike_judges(tables)
    yield from same_table.notices(tables)


def _other_exams(run: _Run, sat: Sequence[ExamResult]) -> Iterator[str]:
    target = run.info.target
    ours = (target["model"], public_url(target.get("base_url") or ""), target.get("revision"))
    for exam in sat:
        theirs = (exam.model, public_url(exam.base_url or ""), exam.revision)
        if ours != theirs:
            yield f"exam {exam.id} is of {_shown(theirs)}, the runs are of {_shown(ours)}"


def _shown(model: tuple[str, str, str | None]) -> str:
    name, address, revision = model
    return f"{name}{f' at {address}' if address else ''}{f', revision {revision}' if revision else ''}"


def _other_rules(runs: Sequence[_Run]) -> Iterator[str]:
    """Yield how the runs were made under other rules than the first one."""
    first, *others = [(run.info.id, outcome.stored_rules(run.path, run.info)) for run in runs]
    for name, rules in others:
        changed = differences(first[1], rules)
        if changed:
            listed = ", ".join(map(str, changed[:6]))
            yield f"{first[0]} and {name} were made under other rules: {listed}. Give those to apply (--thresholds)."


def _require(policy: PolicyTable, found: Sequence[Found], runs: Sequence[_Run], place: object) -> None:
    """Refuse names of the policy that mean nothing, and a suite that is there twice: which one counts?

    Raises:
        ConfigError: naming them.
    """
    strategies = {row.strategy for run in runs for row in run.sheet.rows.values()}
    known = {key for run in runs for key in run.info.words.strategies}
    held = {run.info.id for run in runs}
    suites = [part.name.rpartition(":")[0] for part in found if part.run in held]
    policy.require(suites, strategies | known, place)
    holders: dict[str, list[str]] = {}
    for part in found:
        holders.setdefault(part.name, []).append(part.run)
    twice = {name: " and ".join(held) for name, held in holders.items() if len(held) > 1}
    if twice:
        raise ConfigError([f"{name} is in {held}: name the one that counts." for name, held in twice.items()])
