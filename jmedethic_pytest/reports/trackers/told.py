"""What a tracker is told of a run: parameters, figures with the ends of their intervals, the gate's answer, files.

Nothing here is text of a model. The page holds some, unless the run was redacted: it goes along only then, or when the
user says so, since whoever can read a tracker can read it.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from jmedethic_pytest.analysis.noninferiority.records import Comparison
from jmedethic_pytest.analysis.summary import Distribution, Summary
from jmedethic_pytest.core.errors import ConfigError, StoreError
from jmedethic_pytest.core.records import Verdict
from jmedethic_pytest.core.text import is_redacted, one_line
from jmedethic_pytest.gate.outcome import Outcome
from jmedethic_pytest.reports import plots, tables
from jmedethic_pytest.reports.wording import PAGE, SIMULATION, share_figure
from jmedethic_pytest.stats.estimate import Estimate
from jmedethic_pytest.store.runs import VERDICTS

RUN = "jmedethic.run"
"""Name of what marks a run in a tracker as this one, so that a second export finds it."""
_SUMMARIES = ("summary.md", "summary.json", "gate.json", "comparison.json")
_LONGEST = 500


class Told(NamedTuple):
    """A run as a tracker gets it."""

    run: str
    """Its id."""
    started: str
    """When, ISO 8601 ..."""
    ended: str
    """... and until when; the start where it did not end."""
    parameters: dict[str, str]
    """How it was made."""
    figures: dict[str, float]
    """What was measured; a figure that is missing has no entry, and an interval has two: ``x_low`` and ``x_high``."""
    answers: dict[str, str]
    """What follows: the gate's answer and its reasons."""
    note: str
    """The same for a person, as Markdown."""


def told(outcome: Outcome) -> Told:
    """Return what a tracker is told of a run."""
    info, gate = outcome.info, outcome.gate
    answers = {
        RUN: info.id,
        "jmedethic.gate": gate.answer,
        "jmedethic.status": info.status,
        "jmedethic.simulated": str(info.simulated).lower(),
        "jmedethic.reasons": _short("; ".join(gate.reasons)),
    }
    return Told(
        run=info.id,
        started=info.started,
        ended=info.finished or info.started,
        parameters=dict(_parameters(outcome)),
        figures={_name(name): value for name, value in _figures(outcome) if value is not None},
        answers=answers,
        note="\n\n".join(_note(outcome)),
    )


def gather(outcome: Outcome, folder: Path, *, transcripts: bool) -> list[str]:
    """Put what goes along as files into a folder: summaries, tables, plots, and the page where it may.

    Args:
        outcome: the run.
        folder: an empty one.
        transcripts: whether what the models wrote goes along, too: the page and the verdicts.

    Returns:
        What was left out, and why, in sentences.

    Raises:
        ConfigError: if transcripts are wanted of a redacted run, which has none.
        StoreError: if a file cannot be written.
    """
    redacted = _is_redacted(outcome)
    if transcripts and redacted:
        raise ConfigError("--transcripts: the run was made with --redact and holds none. Leave the option out.")
    try:
        for name in (*_SUMMARIES, *([VERDICTS] if transcripts else [])):
            if (outcome.path / name).is_file():
                shutil.copy(outcome.path / name, folder)
        if (outcome.path / plots.NAME).is_dir():
            shutil.copytree(outcome.path / plots.NAME, folder / plots.NAME)
        tables.write(outcome, folder)
        if not (outcome.path / PAGE).is_file():
            return [f"{PAGE} is not there; `jmedethic report {outcome.info.id}` writes it."]
        if not (transcripts or redacted):
            return [f"{PAGE} holds what the models wrote and was left out (--transcripts takes it along)."]
        shutil.copy(outcome.path / PAGE, folder)
    except OSError as error:
        raise StoreError(f"{folder}: cannot be written: {error.strerror}. Free space.") from None
    return []


def _is_redacted(outcome: Outcome) -> bool:
    """Tell whether every text of a model was replaced by its digest, or there is none."""
    return all(is_redacted(text) for verdict in outcome.verdicts() for text in _texts(verdict) if text)


def _texts(verdict: Verdict) -> Iterator[str]:
    """Yield what models wrote in an evaluation."""
    for turn in (*verdict.turns, *(turn for attack in verdict.attacks for turn in attack.turns)):
        yield from (turn.reply.text, turn.reply.reasoning, *(score.rationale for score in turn.all_scores))
    for attempt in verdict.attempts:
        yield from _texts(attempt)


def _parameters(outcome: Outcome) -> Iterator[tuple[str, str]]:
    """Yield how the run was made; equal whenever it is told."""
    info = outcome.info
    yield "target", str(info.target["model"])
    yield "revision", str(info.target.get("revision") or "not stated")
    for place, judge in enumerate(info.judges, start=1):
        yield f"judge_{place}", str(judge["model"])
    if info.third is not None:
        yield "judge_third", str(info.third["model"])
    yield "judge_prompt", info.judge_prompt
    yield "baselines", _short(", ".join(info.baselines)) or "none"
    for name in ("suite", "locales", "strategies", "guidelines", "sample", "turns", "repeats"):
        value = info.selection.get(name)
        if value:
            yield name, _short(", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))
    yield "selected", str(info.selected)
    yield "tool_version", info.tool_version
    yield "git_commit", info.git_commit or "unknown"
    yield from ((f"digest_{name}", digest) for name, digest in sorted(info.digests.items()))


def _figures(outcome: Outcome) -> Iterator[tuple[str, float | None]]:
    summary = outcome.summary
    yield "gate_passed", float(outcome.gate.answer == "pass")
    yield "gate_inconclusive", float(outcome.gate.answer == "inconclusive")
    yield from _counts(summary)
    yield from _with_interval("pass_rate", summary.pass_rate, summary.pass_interval)
    yield from _with_interval("over_refusal", summary.over_refusal, summary.over_refusal_interval)
    yield "judges/pearson", summary.agreement.pearson
    whole = [group for group in (summary.conversations, summary.minimum) if group is not None]
    for kind, groups in (
        ("", whole),
        ("turn/", summary.turns),
        ("strategy/", summary.strategies),
        ("locale/", summary.locales),
    ):
        for group in groups:
            yield from _group(f"{kind}{group.key}", group)
    for comparison in outcome.comparisons:
        yield from _comparison(comparison)


def _counts(summary: Summary) -> Iterator[tuple[str, float | None]]:
    counts = summary.counts
    yield "count/scored", summary.scored
    yield "count/failed", counts.conversations.failed
    yield "count/undecided", counts.conversations.undecided
    yield "count/twins_failed", counts.twins.failed if counts.twins.total else None
    yield "count/conditions_failed", counts.conditions.failed
    yield "count/conditions_inconclusive", counts.conditions.inconclusive
    yield "count/missing_turns", summary.missing_turns


def _group(name: str, group: Distribution) -> Iterator[tuple[str, float | None]]:
    yield from _with_interval(f"{name}/mean", group.mean, group.mean_interval)
    yield f"{name}/median", group.median
    yield f"{name}/share_at_most_2", group.share_jailbreak


def _comparison(found: Comparison) -> Iterator[tuple[str, float | None]]:
    name = f"baseline/{found.baseline}"
    yield f"{name}/passed", float(found.answer == "pass")
    yield f"{name}/new_failures", len(found.new_failures)
    for item in found.endpoints:
        yield from _with_interval(f"{name}/{item.name}", item.difference.value, item.difference)


def _with_interval(name: str, value: float | None, interval: Estimate) -> Iterator[tuple[str, float | None]]:
    yield name, value
    yield f"{name}_low", interval.low
    yield f"{name}_high", interval.high


def _name(name: str) -> str:
    """Return a name as every tracker takes it."""
    return re.sub(r"[^\w.\- :/]", "_", one_line(name, 120))


def _short(text: str) -> str:
    return one_line(text, _LONGEST)


def _note(outcome: Outcome) -> Iterator[str]:
    summary = outcome.summary
    yield f"**Safety gate: {outcome.gate.answer}**"
    if outcome.info.simulated:
        yield SIMULATION
    yield "\n".join(f"* {_short(reason)}" for reason in outcome.gate.reasons)
    rate = share_figure(summary.pass_interval.model_copy(update={"value": summary.pass_rate}))
    told = f"{summary.scored} of {summary.selected} conversations scored, pass rate {rate}"
    yield f"{told}. Scores run from 1 to 10; 10 is safe."
