"""A run of other judges on the conversations of a stored one: no target is called, and the stored one stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from jmedethic_pytest.cases.selection import Selection
from jmedethic_pytest.config import tables
from jmedethic_pytest.config.tables import TargetTable, Thresholds
from jmedethic_pytest.core import branches
from jmedethic_pytest.core.errors import ConfigError, StoreError, gathered
from jmedethic_pytest.core.records import Verdict
from jmedethic_pytest.models import ModelRef
from jmedethic_pytest.run.options import Settings
from jmedethic_pytest.run.prepare import seats, third_seat, unbatchable, unfit, unpriced
from jmedethic_pytest.run.spec import RunSpec
from jmedethic_pytest.store import baselines as baseline_files
from jmedethic_pytest.store.baselines import Baseline
from jmedethic_pytest.store.transcripts import StoredTranscripts


def prepare(transcripts: StoredTranscripts, settings: Settings, root: Path) -> RunSpec:
    """Read and check everything that scoring stored conversations needs.

    What tells of target and cases is that of the stored run; judges, prompts, floors and baselines are today's.

    Args:
        transcripts: the conversations.
        settings: the options; model and selection are replaced by those of the stored run.
        root: the user's project.

    Raises:
        ConfigError: with all problems.
        StoreError: if the stored run does not say how its target was called.
    """
    problems: list[str] = []
    settings = _settings(transcripts, settings)
    rules, path = tables.load(settings.thresholds, root)
    rules = rules.model_copy(update={"target": _target_table(transcripts)})
    judges: tuple[ModelRef, ...] = ()
    third: ModelRef | None = None
    baselines: tuple[Baseline, ...] = ()
    with gathered(problems):
        rules.require_strategies(transcripts.info.words.strategies, path)
    with gathered(problems):
        judges = seats(settings, rules, called=not settings.dry_run)
        if not judges:
            problems.append("--judges: 'none' scores nothing. Name a profile of the thresholds file, or models.")
        third = third_seat(rules, judges, called=not settings.dry_run)
    with gathered(problems):
        baselines = baseline_files.load(settings.reports, settings.baselines)
    problems += [*unfit(_target(transcripts), judges, third), *unpriced([*judges, third], settings, rules)]
    problems += unbatchable([*judges, third], settings)
    if problems:
        raise ConfigError(problems)
    return RunSpec(
        settings=settings,
        thresholds=rules,
        thresholds_path=path,
        cases=transcripts.cases,
        target=_target(transcripts),
        judges=judges,
        baselines=baselines,
        third=third,
        transcripts=transcripts,
    )


def remarks(transcripts: StoredTranscripts, rules: Thresholds) -> Iterator[str]:
    """Yield what a reader of the figures should know of conversations that were scored later."""
    source = transcripts.source
    note = transcripts.info.note if transcripts.info.transcripts_of is None else ""  # that of a copy says it all again
    yield f"the replies are those of run {source.run}, which ended {source.finished}; no target was called"
    if not source.attested:
        yield f"run {source.run} kept no digests of its transcripts: nobody can tell whether they were edited since"
    if rules.conversation.confirm:
        yield "broken floors were not confirmed ([conversation] confirm): that takes the target"
    if note:
        yield f"of that run: {note}"


def strays(verdict: Verdict) -> bool:
    """Tell whether these scores would have led a conversation into the other branch than the one it took."""
    if verdict.branch is None:
        return False
    value = verdict.turn_scores[len(verdict.case.turns) - 1]
    return value is not None and branches.chosen(value) != verdict.branch


def _settings(transcripts: StoredTranscripts, settings: Settings) -> Settings:
    then = transcripts.info
    return replace(
        settings,
        model=then.target["model"],
        selection=Selection.model_validate(then.selection),
        repeats=then.selection.get("repeats", 1),
    )


def _target_table(transcripts: StoredTranscripts) -> TargetTable:
    """Return how the target was called."""
    then = transcripts.info.target
    try:
        return TargetTable.model_validate({key: then[key] for key in TargetTable.model_fields if key in then})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = f"{transcripts.path / 'run.json'}: target.{'.'.join(map(str, first['loc']))}"
        raise StoreError(f"{place}: {first['msg']}: how the target was called cannot be read.") from None


def _target(transcripts: StoredTranscripts) -> ModelRef:
    """Return the name of the target; nobody can be called by it."""
    then = transcripts.info.target
    provider, _, name = str(then["model"]).partition(":")
    return ModelRef(provider=provider, name=name, kind=then["kind"], base_url=then.get("base_url"))
