"""Anchors frozen, and checked: what judges say of the same replies, now and later. Only judges are called."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from jmedethic_pytest import _version
from jmedethic_pytest.config import tables
from jmedethic_pytest.config.tables import Thresholds
from jmedethic_pytest.core.errors import ConfigError, StoreError
from jmedethic_pytest.core.records import Score, Turn, Verdict
from jmedethic_pytest.core.vocabulary import Vocabulary
from jmedethic_pytest.judging import prompt as judge_prompt
from jmedethic_pytest.models import ModelRef
from jmedethic_pytest.models.base import DEMO
from jmedethic_pytest.run.options import Settings
from jmedethic_pytest.run.prepare import seats, third_seat, unpriced
from jmedethic_pytest.run.rescoring import Scored, score_again
from jmedethic_pytest.store import anchors as anchor_files
from jmedethic_pytest.store import asked, judge_files
from jmedethic_pytest.store import runs as run_files
from jmedethic_pytest.store import scores as run_scores
from jmedethic_pytest.store.anchors import Anchors, AnchorSet, Check, Source
from jmedethic_pytest.store.judge_files import PanelOf
from jmedethic_pytest.store.transcripts import open_transcripts

SCORINGS = 2
_MOST_MISSING = 0.02
Watch = Callable[[], None]


class Prepared(NamedTuple):
    """Everything found sound before a judge is called."""

    verdicts: tuple[Verdict, ...]
    judges: tuple[ModelRef, ...]
    rules: Thresholds
    words: Vocabulary
    settings: Settings
    third: ModelRef | None


def prepare_freeze(paths: Sequence[Path], settings: Settings, seed: int) -> tuple[Prepared, tuple[Source, ...]]:
    """Choose the conversations of stored runs that shall be anchors, and find the judges.

    Raises:
        ConfigError: if options, judges or keys cannot be used, or the runs were not made alike.
        StoreError: if a run cannot be read, did not come to its end, was redacted or edited.
    """
    from jmedethic_pytest.analysis import anchoring

    opened = [open_transcripts(path) for path in paths]
    histories = {item.info.target.get("history", "own") for item in opened}
    if len(histories) > 1:
        raise ConfigError(
            "judges anchors: the runs do not have the same [target] history. Take runs that were made alike."
        )
    chosen = anchoring.choose([run_scores.read(path) for path in paths], seed)
    if not chosen:
        raise StoreError(f"{paths[0]}: no conversation of these runs was scored in full. Next: jmedethic judge.")
    verdicts = tuple(opened[number].read(key) for number, key in chosen)
    found = _found(verdicts, opened[0].info.words, histories.pop(), settings, opened[0].info.judges)
    counts = Counter(number for number, _ in chosen)
    sources = (
        Source(run=item.info.id, model=item.info.target["model"], conversations=counts[number])
        for number, item in enumerate(opened)
    )
    return found, tuple(sources)


def freeze(
    name: str, path: Path, found: Prepared, sources: tuple[Source, ...], watch: Watch
) -> tuple[AnchorSet, Scored]:
    """Score the chosen conversations twice, and keep them with the mean of both.

    Raises:
        RunAborted: if a judge cannot be asked, or the budget is spent; nothing is kept then.
        StoreError: if too many scores are missing, or it cannot be written.
    """
    scored = score_again(*found, scorings=SCORINGS, done=watch)
    panel = len(found.judges)
    frozen = [_mean(stored, again, panel) for stored, *again in zip(found.verdicts, *scored.scorings, strict=True)]
    turns = [turn for verdict in frozen for turn in verdict.turns]
    missing = sum(turn.value is None for turn in turns)
    if missing > _MOST_MISSING * len(turns):
        raise StoreError(f"{missing} of {len(turns)} anchor scores are missing: nothing was frozen. Freeze anew later.")
    about = AnchorSet(
        name=name,
        created=run_files.now(),
        tool_version=_version.VERSION,
        panel=_panel(found),
        judges=tuple(judge.describe() for judge in found.judges),
        served=_served(scored.scorings),
        history=found.rules.target.history,
        scorings=SCORINGS,
        sources=sources,
        conversations=len(frozen),
        turns=len(turns),
        vocabulary=found.words.record([verdict.case for verdict in frozen]),
        content=anchor_files.content_digest(frozen),
    )
    anchor_files.write(path, about, frozen)
    return about, scored


def prepare_check(anchors: Anchors, settings: Settings) -> Prepared:
    """Find the judges that shall score anchors again.

    Raises:
        ConfigError: if they are not those that scored them when they were frozen, or cannot be used.
    """
    about = anchors.about
    words = Vocabulary.of(about.vocabulary)
    found = _found(anchors.verdicts, words, about.history, settings, about.judges)
    difference = about.panel.unlike(_panel(found))
    if difference:
        raise ConfigError(
            f"judges anchors: {about.name} was frozen by another panel: {difference}. Give those with --judges, or "
            f"freeze anchors anew: {anchor_files.FREEZE}."
        )
    return found


def check(anchors: Anchors, found: Prepared, watch: Watch) -> Check:
    """Score anchors once more, compare and keep what was found.

    Raises:
        RunAborted: if a judge cannot be asked, or the budget is spent; nothing is kept then.
        StoreError: if it cannot be written.
    """
    from jmedethic_pytest.analysis import anchoring

    scored = score_again(*found, done=watch)
    served, before = _served(scored.scorings), anchors.about.served
    names, third = anchors.about.panel.judges, [found.third.label] if found.third is not None else []
    said = anchoring.check(
        anchors.verdicts,
        scored.scorings[0],
        names,
        found.rules.floor_of,
        {name: (before.get(name, ()), served.get(name, ())) for name in (*names, *third)},
    )
    record = Check(
        at=run_files.now(),
        tool_version=_version.VERSION,
        panel=_panel(found),
        content=anchors.about.content,
        calls=scored.calls,
        cost_usd=scored.cost_usd,
        **said._asdict(),
    )
    anchor_files.append(anchors.path, record)
    return record


def _found(
    verdicts: tuple[Verdict, ...], words: Vocabulary, history: str, settings: Settings, before: Sequence[dict[str, Any]]
) -> Prepared:
    """Read the rules and find the judges: those that were named, else those that scored before, where they were."""
    rules, _ = tables.load(settings.thresholds, Path.cwd())
    rules = rules.model_copy(update={"target": rules.target.model_copy(update={"history": history})})
    settings = settings if settings.judges else replace(settings, judges=",".join(map(_spec, before)) or None)
    judges = seats(settings, rules, called=True)
    third = third_seat(rules, judges, called=True)
    problems = list(unpriced([*judges, third], settings, rules))
    if not judges:
        problems.append("--judges: 'none' scores nothing. Name a profile of the thresholds file, or models.")
    if problems:
        raise ConfigError(problems)
    return Prepared(verdicts, judges, rules, words, settings, third)


def _spec(judge: Mapping[str, Any]) -> str:
    address = judge.get("base_url") if judge["kind"] != DEMO else None
    return f"{judge['model']}@{address}" if address else str(judge["model"])


def _panel(found: Prepared) -> PanelOf:
    names, table = [judge.label for judge in found.judges], found.rules.judges
    spoken = sorted({item.case.locale for item in found.verdicts})
    named = {item.case.guideline for item in found.verdicts}
    how = asked.of_panel(table.model_dump(mode="json"), names, None if found.third is None else found.third.label)
    return judge_files.panel(
        names,
        judge_prompt.digest(table.prompt, spoken, map(found.words.guideline, named)),
        table.context,
        how,
    )


def _served(scorings: Sequence[Sequence[Verdict]]) -> dict[str, tuple[str, ...]]:
    names: dict[str, set[str]] = defaultdict(set)
    for score in (score for each in scorings for item in each for turn in item.turns for score in turn.all_scores):
        if score.model:
            names[score.judge].add(score.model)
    return {judge: tuple(sorted(found)) for judge, found in sorted(names.items())}


def _mean(stored: Verdict, again: Sequence[Verdict], panel: int) -> Verdict:
    """Return a conversation with the mean of several scorings, and without what judges wrote."""
    turns = tuple(_mean_turn(turn, [item.turns[turn.index] for item in again], panel) for turn in stored.turns)
    complete = all(turn.value is not None for turn in turns)
    status = "scored" if complete else next(item.status for item in again if item.status != "scored")
    kept = {"turns": turns, "status": status, "detail": "", "repeat": 0}
    left_out = {"violations": (), "attempts": (), "confirmed": None, "attacks": (), "baseline": None}
    return Verdict.model_validate({**dict(stored), **kept, **left_out})


def _mean_turn(stored: Turn, again: Sequence[Turn], panel: int) -> Turn:
    panels = list(zip(*(turn.scores[:panel] for turn in again), strict=True))
    scores = tuple(_mean_score(judge) for judge in panels)
    decided = next((turn.third for turn in again if turn.third is not None), None)
    known = [turn.value for turn in again if turn.value is not None]
    value = sum(known) / len(known) if known and len(known) == len(again) else None
    return stored.model_copy(update={"scores": scores, "third": _standing_for(decided, value), "value": value})


def _standing_for(decided: Score | None, value: float | None) -> Score | None:
    """Return a third judge's score where it decided any of the scorings: their mean is no longer that of the two."""
    if decided is None:
        return None
    status = "scored" if value is not None else decided.status if decided.status != "scored" else "error"
    return Score(judge=decided.judge, value=value, status=status, model=decided.model)


def _mean_score(scores: Sequence[Score]) -> Score:
    lost = next((score for score in scores if score.value is None), None)
    if lost is not None:
        return Score(judge=lost.judge, value=None, status=lost.status, model=lost.model)
    values = [score.value for score in scores if score.value is not None]
    return Score(judge=scores[0].judge, value=sum(values) / len(values), model=scores[0].model)
