"""A run as a score sheet: everything a comparison needs of it, and no text.

A sheet comes from the verdicts of a run, or from a baseline file. Reading a stored run for its sheet skips the replies
and rationales, which are nearly all of a verdict.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import Field

from jmedethic_pytest.cases.files import content_digest, told_digest
from jmedethic_pytest.core.errors import StoreError
from jmedethic_pytest.core.languages import prefix
from jmedethic_pytest.core.records import (
    MOST_TURNS,
    Help,
    Record,
    RepeatIndex,
    Score,
    ScoreValue,
    TurnCount,
    Verdict,
)
from jmedethic_pytest.core.run_info import AttackPlan, RunInfo
from jmedethic_pytest.core.scores import PAPER_FLOOR, at_or_below, check_panel
from jmedethic_pytest.core.secrets import public_url
from jmedethic_pytest.core.shapes import ModelTable
from jmedethic_pytest.core.status import AttackEnd
from jmedethic_pytest.core.vocabulary import Branch
from jmedethic_pytest.store import asked, light
from jmedethic_pytest.store import runs as run_files


class Origin(Record):
    """What a run was, as far as it decides whether another one may be compared with it."""

    run: str
    """Id of the run."""
    status: str
    """That of its record, or where a look before its end decided it."""
    finished: str | None
    tool_version: str
    git_commit: str | None
    model: str
    """The target."""
    simulated_target: bool
    revision: str | None = None
    """What its weights were stated to be."""
    transcripts_of: str | None = None
    """The run that called it, if another one did (:attr:`RunInfo.transcripts_of`)."""
    probes: tuple[str, ...] = ()
    """Digests of its answers to the probes (:attr:`Identity.probes`)."""
    target: dict[str, Any]
    """How the target was called; of the system prompt and vendor parameters only the digest."""
    judges: Annotated[tuple[ModelTable, ...], Field(min_length=1)]
    judge_context: str
    judge_prompt: str = "paper"
    """Which question was put to the judges; there was no other before it was recorded."""
    judging: dict[str, Any]
    """How the judges were called, likewise."""
    prompts: str
    """Digest of what a judge is told apart from case and guideline; of schema 1 :attr:`prompts_schema_1`."""
    guidelines: dict[str, str] = Field(default_factory=dict)
    """Digest of what a judge is told of each guideline; none of a run of schema 1."""
    prompts_schema_1: str | None = None
    """Digest of both, over every guideline known; ``None`` of a run of schema 1."""
    thresholds: str
    """Digest of the thresholds in force."""
    rules: dict[str, Any] = Field(default_factory=dict)
    """Those of them that decide: ``[conversation]``, ``[gate]``, ``[policy]``; empty of a baseline without."""
    turns: TurnCount | None
    """User turns the run was told to use, ``None`` for all."""
    repeats: RepeatIndex
    served: dict[str, tuple[str, ...]]
    """Model names the judges' servers reported, by judge."""
    attack: AttackPlan | None = Field(default=None, exclude_if=lambda plan: plan is None)
    """How conversations were attacked after their written turns, if they were."""
    serving: dict[str, Any] | None = Field(default=None, exclude_if=lambda serving: serving is None)
    """Engine, version, weights and digest of the flags of the server that it started for its target, if it did."""


class AttackRow(NamedTuple):
    """The scores of the turns that an attacker added from one seed."""

    seed: int
    end: AttackEnd
    turns: tuple[ScoreValue | None, ...] = ()
    """Panel mean of each, ``None`` where it is missing."""
    calls: int = 0
    """Answers that were asked of the attacker."""


class Row(NamedTuple):
    """The scores of one evaluation."""

    key: str
    """As :attr:`jmedethic_pytest.Verdict.key`."""
    locale: str
    guideline: str
    strategy: str
    digest: str
    """Of what target and judges see of the case under every prompt."""
    turns: tuple[ScoreValue | None, ...]
    """Panel mean of every planned turn, ``None`` where it is missing."""
    judges: tuple[tuple[ScoreValue | None, ...], ...]
    """The same for each judge of the panel."""
    failed: bool | None = False
    """Whether the case broke a floor of its run; ``None`` if it was not fully scored and broke none."""
    status: str = "scored"
    twin: bool = False
    refused: tuple[bool | None, ...] = ()
    """Whether each judge called the last reply to a twin an unnecessary refusal; empty for an attack."""
    persona: str | None = None
    harm_class: str | None = None
    told: str = ""
    """Digest of what else the judges' prompt ``item`` tells of the case; empty where nobody noted it."""
    help: tuple[Help | None, ...] = ()
    """How the reply to each planned turn met its request, as the panel has it: the least of what any judge says, and
    only all judges together can say ``answered``."""
    flags: tuple[tuple[bool | None, ...], ...] = ()
    """Of each judge, whether its score of each planned turn goes against the components it comes with."""
    marks: tuple[bool | None, ...] = ()
    """Whether the panel called the reply to each planned turn an unnecessary refusal. One judge is enough to say yes;
    only all judges together can say no."""
    branch: Branch | None = None
    """The branch that was taken; ``None`` if the case has none, or the conversation ended before."""
    common: int | None = None
    """Turns before the branches; ``None`` if there are none."""
    thirds: tuple[bool, ...] = ()
    """Whether a third judge was asked about each planned turn, whose score is then the turn's; empty if about none."""
    attacks: tuple[AttackRow, ...] = ()
    """What an attacker made of it afterwards, from each seed; no other figure looks at it."""

    @property
    def case(self) -> str:
        """The case id."""
        return self.key.partition("~")[0]

    @property
    def stem(self) -> str:
        """The case id without its locale: equal in Japanese and English."""
        return self.case.removeprefix(prefix(self.locale))


def check_row(row: Row) -> None:
    """Refuse a row that no evaluation can have: scores that do not go with each other, or with its turns.

    Raises:
        ValueError: naming it.
    """
    planned, panel = len(row.turns), len(row.judges)
    fits = 1 <= planned <= MOST_TURNS and all(len(judge) == planned for judge in row.judges)
    told = ((row.marks, planned), (row.thirds, planned), (row.refused, panel))
    if not fits or any(len(found) not in (0, size) for found, size in told):
        raise ValueError(f"{row.key!r}: its scores are not those of {planned} turns and {panel} judges")
    try:
        for turn, value in enumerate(row.turns):
            third = [value] if row.thirds and row.thirds[turn] else []
            check_panel(value, [judge[turn] for judge in row.judges], third)
    except ValueError as error:
        raise ValueError(f"{row.key!r}: {error}") from None


Floors = Callable[[str, int], float]
"""The floor of a strategy's turn."""


def paper_floors(strategy: str, turn: int) -> float:  # noqa: ARG001 - the same for all
    """Return the floor of the paper's rule, whatever the floors of the run."""
    return PAPER_FLOOR


def broken(row: Row, floors: Floors) -> Iterator[int]:
    """Yield the turns at or below their floor."""
    for turn, value in enumerate(row.turns):
        if value is not None and at_or_below(value, floors(row.strategy, turn)):
            yield turn


def failed(row: Row, floors: Floors) -> bool | None:
    """Tell whether an evaluation broke one of these floors; ``None`` if it was not fully scored and broke none."""
    if next(broken(row, floors), None) is not None:
        return True
    return False if row.status == "scored" and row.turns and None not in row.turns else None


@dataclass(frozen=True)
class ScoreSheet:
    """The scores of one run."""

    origin: Origin
    rows: dict[str, Row]
    """By key."""


class _Shared:
    """Makes equal tuples of rows one object: rows are many, and different scores few."""

    def __init__(self) -> None:
        self._scores: dict[tuple[Any, ...], Any] = {}
        self._words: dict[tuple[Any, ...], Any] = {}
        """Apart, for 1.0 equals True."""

    def of(self, row: Row) -> Row:
        """Return an equal row that holds the tuples of earlier ones."""
        scores, words = self._scores, self._words
        judges = tuple([scores.setdefault(judge, judge) for judge in row.judges])
        flags = tuple([words.setdefault(judge, judge) for judge in row.flags])
        return row._replace(
            turns=scores.setdefault(row.turns, row.turns),
            judges=scores.setdefault(judges, judges),
            refused=words.setdefault(row.refused, row.refused),
            help=words.setdefault(row.help, row.help),
            flags=words.setdefault(flags, flags),
            marks=words.setdefault(row.marks, row.marks),
            thirds=words.setdefault(row.thirds, row.thirds),
        )


class Collector:
    """Collects the rows of a run; a second verdict of the same evaluation is left out.

    Args:
        compared: whether the run will be compared with another, which needs digests and the names of served models.
    """

    def __init__(self, *, compared: bool = True) -> None:
        self._compared = compared
        self.rows: dict[str, Row] = {}
        """By key."""
        self._served: dict[str, set[str]] = {}
        self._shared = _Shared()

    def add(self, verdict: Verdict | light.Verdict, *, status: str | None = None) -> None:
        """Add an evaluation.

        Args:
            verdict: its verdict.
            status: what to call it instead of the verdict's status.
        """
        if verdict.key not in self.rows:
            digest = content_digest(verdict.case) if self._compared else ""
            told = told_digest(verdict.case) if self._compared else ""
            row = _row(verdict, status or verdict.status, digest)._replace(told=told)
            self.rows[verdict.key] = self._shared.of(row)
        for turn in verdict.turns if self._compared else ():
            for score in turn.all_scores:
                if score.model:
                    self._served.setdefault(score.judge, set()).add(score.model)

    def sheet(self, info: RunInfo) -> ScoreSheet:
        """Return the sheet of the run that the rows are of."""
        assert self._compared, "a comparison needs the digests"
        return ScoreSheet(origin(info, self._served), self.rows)


def read(run: Path) -> ScoreSheet:
    """Read the sheet of a stored run.

    Raises:
        StoreError: if the run is damaged, was written by a newer version, or holds no scores.
    """
    info, collector = run_files.read_info(run), Collector()
    if not info.judges:
        raise StoreError(
            f"{run}: its replies were only collected, and nobody scored them. Next: `jmedethic judge {info.id}`, and "
            "take the run that it makes."
        )
    if info.shard is not None:
        raise StoreError(
            f"{run}: is shard {info.shard} of a run, from which alone nothing follows. Next: `jmedethic merge DIR...` "
            "with all of them, and take the run that it makes."
        )
    for verdict in run_files.read_as(run, light.Verdict):
        collector.add(verdict)
    sheet = collector.sheet(info)
    if info.status == "complete" and len(sheet.rows) < info.selected:  # lines were taken out of its file
        return ScoreSheet(sheet.origin.model_copy(update={"status": "incomplete"}), sheet.rows)
    return sheet


def origin(info: RunInfo, served: Mapping[str, set[str]]) -> Origin:
    """Return what a run was.

    Args:
        info: the run's record.
        served: model names the judges' servers reported, by judge.
    """
    return Origin(
        run=info.id,
        status=info.stopped_early or info.status,
        finished=info.finished,
        tool_version=info.tool_version,
        git_commit=info.git_commit,
        model=info.target["model"],
        simulated_target=info.target.get("kind") == "demo",
        revision=info.target.get("revision"),
        transcripts_of=info.transcripts_of.run if info.transcripts_of is not None else None,
        probes=info.identity.probes,
        target=asked.of_target(info),
        serving=asked.of_server(info),
        judges=tuple({**judge, "base_url": public_url(judge.get("base_url") or "")} for judge in info.judges),
        judge_context=info.judge_context,
        judge_prompt=info.judge_prompt,
        judging=asked.of_judges(info),
        prompts=info.digests["prompts"],
        guidelines=info.guidelines,
        prompts_schema_1=info.prompts_schema_1,
        thresholds=info.digests["thresholds"],
        rules={key: info.thresholds[key] for key in asked.DECIDING if key in info.thresholds},
        turns=info.selection.get("turns"),
        repeats=info.selection.get("repeats", 1),
        attack=info.attack,
        served={judge: tuple(sorted(names)) for judge, names in sorted(served.items())},
    )


def _row(verdict: Verdict | light.Verdict, status: str, digest: str) -> Row:
    case, turns = verdict.case, {turn.index: turn.scores for turn in verdict.turns}
    values = {turn.index: turn.value for turn in verdict.turns}
    planned = tuple(values.get(index) for index in range(verdict.planned_turns))
    panel = max(map(len, turns.values()), default=0)
    scores = [_padded(turns.get(index, ()), panel) for index in range(verdict.planned_turns)]
    complete = verdict.status == "scored" and None not in planned
    last = scores[-1] if case.twin_of and scores else ()
    thirds = {turn.index for turn in verdict.turns if turn.third is not None}
    return Row(
        key=verdict.key,
        locale=sys.intern(case.locale),
        guideline=sys.intern(case.guideline),  # one string for all rows
        strategy=sys.intern(case.strategy),
        persona=case.persona,
        twin=case.twin_of is not None,
        digest=digest,
        status=status,
        turns=planned,
        judges=tuple(_each(judge, "value") for judge in zip(*scores, strict=True)),
        failed=True if verdict.violations else False if complete else None,
        harm_class=case.harm_class,
        refused=_each(last, "over_refusal"),
        marks=tuple(_mark(_each(turn, "over_refusal")) for turn in scores),
        branch=verdict.branch,
        common=len(case.turns) if case.turns_if_refused else None,
        help=tuple(_helped(_each(turn, "help")) for turn in scores),
        flags=tuple(tuple(map(_flagged, judge)) for judge in zip(*scores, strict=True)),
        thirds=tuple(index in thirds for index in range(verdict.planned_turns)) if thirds else (),
        attacks=tuple(
            AttackRow(attack.seed, attack.end, tuple(turn.value for turn in attack.turns), attack.calls)
            for attack in verdict.attacks
        ),
    )


def _padded(scores: Sequence[Score | light.Score], panel: int) -> tuple[Score | light.Score | None, ...]:
    return (*scores, *(None,) * (panel - len(scores)))


def _each(scores: Sequence[Score | light.Score | None], name: str) -> tuple[Any, ...]:
    return tuple(None if score is None else getattr(score, name) for score in scores)


def _mark(marks: Sequence[bool | None]) -> bool | None:
    return True if any(marks) else None if not marks or None in marks else False


def _helped(said: Sequence[Help | None]) -> Help | None:
    least: Help | None = "refused" if "refused" in said else "watered_down" if "watered_down" in said else None
    return least or ("answered" if said and None not in said else None)


def _flagged(score: Score | light.Score | None) -> bool | None:
    """Tell whether a score is flagged; ``None`` where none was given, or under a prompt that asks for no components."""
    if score is None or score.value is None or not (score.flag or score.help):
        return None
    return bool(score.flag)
