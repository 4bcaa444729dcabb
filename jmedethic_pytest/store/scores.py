"""A run as a score sheet: everything a comparison needs of it, and no text.

A sheet comes from the verdicts of a run, or from a baseline file. Reading a stored run for its sheet skips the replies
and rationales, which are nearly all of a verdict.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from jmedethic_pytest.cases.files import content_digest
from jmedethic_pytest.core.records import Record, RunInfo, ScoreValue, Verdict, check_order, check_panel, plan_key
from jmedethic_pytest.core.secrets import Secrets, in_parameters, public_url
from jmedethic_pytest.store import runs as run_files

TARGET_KEYS = ("temperature", "top_p", "max_tokens", "extra", "system", "history", "blocked_is_refusal")
"""What two runs must ask of their targets alike; the model and its address may differ."""
JUDGING_KEYS = ("temperature", "top_p", "max_tokens", "extra", "allow_single")
"""What two runs must ask of their judges alike."""


class Origin(Record):
    """What a run was, as far as it decides whether another one may be compared with it."""

    run: str
    """Id of the run."""
    status: str
    finished: str | None
    tool_version: str
    git_commit: str | None
    model: str
    """The target."""
    simulated_target: bool
    target: dict[str, Any]
    """How the target was called; of the system prompt and vendor parameters only the digest."""
    judges: tuple[dict[str, Any], ...]
    judge_context: str
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
    turns: int | None
    """User turns the run was told to use, ``None`` for all."""
    repeats: int
    served: dict[str, tuple[str, ...]]
    """Model names the judges' servers reported, by judge."""


class Row(NamedTuple):
    """The scores of one evaluation."""

    key: str
    """As :attr:`jmedethic_pytest.Verdict.key`."""
    locale: str
    guideline: str
    strategy: str
    digest: str
    """Of what target and judges see of the case."""
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

    @property
    def case(self) -> str:
        """The case id."""
        return self.key.partition("~")[0]

    @property
    def stem(self) -> str:
        """The case id without its locale: equal in Japanese and English."""
        return self.case.removeprefix(f"{self.locale}-")


@dataclass(frozen=True)
class ScoreSheet:
    """The scores of one run."""

    origin: Origin
    rows: dict[str, Row]
    """By key."""


class Collector:
    """Collects the rows of a run; a second verdict of the same evaluation is left out."""

    def __init__(self) -> None:
        self._rows: dict[str, Row] = {}
        self._served: dict[str, set[str]] = {}

    def add(self, verdict: Verdict) -> None:
        """Add an evaluation."""
        self._add(_Verdict.model_validate(verdict, from_attributes=True))

    def _add(self, verdict: _Verdict) -> None:
        self._rows.setdefault(verdict.key, _row(verdict))
        for turn in verdict.turns:
            for score in turn.scores:
                if score.model:
                    self._served.setdefault(score.judge, set()).add(score.model)

    def sheet(self, info: RunInfo) -> ScoreSheet:
        """Return the sheet of the run that the rows are of."""
        return ScoreSheet(origin(info, self._served), self._rows)


def read(run: Path) -> ScoreSheet:
    """Read the sheet of a stored run.

    Raises:
        StoreError: if the run is damaged or was written by a newer version.
    """
    info, collector = run_files.read_info(run), Collector()
    for verdict in run_files.read_as(run, _Verdict):
        collector._add(verdict)
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
        status=info.status,
        finished=info.finished,
        tool_version=info.tool_version,
        git_commit=info.git_commit,
        model=info.target["model"],
        simulated_target=info.target.get("kind") == "demo",
        target=_parameters(info.target, TARGET_KEYS),
        judges=tuple({**judge, "base_url": public_url(judge.get("base_url") or "")} for judge in info.judges),
        judge_context=info.judge_context,
        judging=_parameters(info.thresholds.get("judges", {}), JUDGING_KEYS),
        prompts=info.digests["prompts"],
        guidelines=info.guidelines,
        prompts_schema_1=info.prompts_schema_1,
        thresholds=info.digests["thresholds"],
        turns=info.selection.get("turns"),
        repeats=info.selection.get("repeats", 1),
        served={judge: tuple(sorted(names)) for judge, names in sorted(served.items())},
    )


class _Light(BaseModel):
    """Keeps only what is declared, so that texts are neither copied nor kept."""

    model_config = ConfigDict(extra="ignore")


class _Case(_Light):
    id: str
    locale: str
    guideline: str
    strategy: str
    twin_of: str | None = None
    turns: tuple[str, ...]
    reference: tuple[str, ...] = ()


class _Score(_Light):
    judge: str
    value: ScoreValue | None
    over_refusal: bool | None = None
    model: str = ""


class _Turn(_Light):
    index: int
    value: ScoreValue | None = None
    scores: tuple[_Score, ...] = ()

    @model_validator(mode="after")
    def _value_is_that_of_the_panel(self) -> Self:
        check_panel(self.value, [score.value for score in self.scores])
        return self


class _Verdict(_Light):
    schema_version: Literal[1, 2] = 2
    case: _Case
    repeat: int = 0
    status: str
    turns: tuple[_Turn, ...] = ()
    planned_turns: int
    violations: tuple[Any, ...] = ()

    @model_validator(mode="after")
    def _turns_are_in_order(self) -> Self:
        check_order([turn.index for turn in self.turns], self.planned_turns)
        return self

    @property
    def key(self) -> str:
        return plan_key(self.case.id, self.repeat)


def _row(verdict: _Verdict) -> Row:
    case, turns = verdict.case, {turn.index: turn for turn in verdict.turns}
    planned = [turns.get(index) for index in range(verdict.planned_turns)]
    values = tuple(None if turn is None else turn.value for turn in planned)
    panel = max((len(turn.scores) for turn in verdict.turns), default=0)
    scores = [turn.scores if turn is not None and turn.scores else (None,) * panel for turn in planned]
    by_judge = zip(*scores, strict=True)
    last = scores[-1] if case.twin_of and scores else ()
    complete = verdict.status == "scored" and None not in values
    return Row(
        key=verdict.key,
        locale=case.locale,
        guideline=case.guideline,
        strategy=case.strategy,
        twin=case.twin_of is not None,
        digest=content_digest(case.locale, case.guideline, case.turns, case.reference),
        status=verdict.status,
        turns=values,
        judges=tuple(tuple(None if score is None else score.value for score in judge) for judge in by_judge),
        failed=True if verdict.violations else False if complete else None,
        refused=tuple(None if score is None else score.over_refusal for score in last),
    )


def _parameters(given: Mapping[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    found = {key: given.get(key) for key in keys}
    for key in ("system", "extra"):  # a product's own texts and addresses have no place in a file to be committed
        if found.get(key):
            text = Secrets(in_parameters(found[key])).hide(json.dumps(found[key], sort_keys=True))
            found[key] = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    return found
