"""What continuous integration is told besides the exit status: a summary page, annotations, metrics. Never model text.

GitHub Actions: the summary is appended to ``$GITHUB_STEP_SUMMARY``, and at most ten annotations say what failed.
GitLab: the conditions stand in a section of the job log that opens on a click; ``metrics.txt`` and ``comment.md`` in
the run's folder are for its merge request.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from jmedethic_pytest.core import text as plain_text
from jmedethic_pytest.core.records import Condition, Gate
from jmedethic_pytest.gate.outcome import Outcome
from jmedethic_pytest.reports import markdown

SUMMARY_LIMIT = 1_000_000
"""Bytes of a step's summary page; above 1 MiB GitHub throws the whole page away."""
ANNOTATIONS = 10
"""Annotations of one step that GitHub shows."""
_LONGEST = 300
_SECTION = "jmedethic_gate"


def publish(outcome: Outcome, environment: Mapping[str, str]) -> list[str]:
    """Tell the system this process runs in about a run.

    Args:
        outcome: the run.
        environment: variables of the process.

    Returns:
        Lines to print, each at the start of a line; none outside of GitHub Actions and GitLab.
    """
    if outcome.unmeasured:
        told = publish_trouble(outcome.info.note or "; ".join(outcome.gate.reasons), environment)
        return [*told, *_append_summary(partial(markdown.render, outcome), environment)]
    if environment.get("GITHUB_ACTIONS") == "true":
        page = _append_summary(partial(markdown.render, outcome), environment)
        return [*annotate(outcome.gate, simulated=outcome.info.simulated), *_early(outcome), *page]
    if environment.get("GITLAB_CI") == "true":
        return list(_section(outcome, int(time.time())))
    return []


def publish_trouble(trouble: str, environment: Mapping[str, str]) -> list[str]:
    """Say that a run came to no answer, where :func:`publish` has nothing to show."""
    if environment.get("GITHUB_ACTIONS") == "true":
        return [_command("error", "Safety gate: inconclusive", trouble)]
    return []


def publish_decision(gate: Gate, head: Sequence[str], environment: Mapping[str, str], *, simulated: bool) -> list[str]:
    """Tell GitHub Actions what several runs came to together; see :func:`publish`.

    Args:
        gate: the answer.
        head: what it is of, in lines.
        environment: variables of the process.
        simulated: whether anything is a demo simulation.
    """
    if environment.get("GITHUB_ACTIONS") != "true":
        return []
    page = _append_summary(partial(markdown.decision, gate, head, simulated=simulated), environment)
    return [*annotate(gate, simulated=simulated), *page]


def annotate(gate: Gate, *, simulated: bool) -> list[str]:
    """Return the workflow commands for what keeps the gate from passing, at most ten, failures first."""
    bad = [item for item in gate.conditions if item.answer != "pass"]
    bad.sort(key=lambda item: item.answer != "fail")
    if gate.answer != "pass" and not bad:
        bad = [Condition(name="gate", answer=gate.answer, observed=None, limit=None, detail="; ".join(gate.reasons))]
    shown = bad if len(bad) <= ANNOTATIONS else bad[: ANNOTATIONS - 1]
    lines = [_annotation(item, simulated=simulated) for item in shown]
    if len(shown) < len(bad):
        names = ", ".join(item.name for item in bad[len(shown) :])
        left = f"{len(bad) - len(shown)} more conditions do not pass: {names}"
        lines.append(_command("error", f"Safety gate: {gate.answer}", left))
    return lines


def _early(outcome: Outcome) -> Iterator[str]:
    """Yield that the run was decided before its end, if so."""
    if outcome.info.stopped_early:
        certain = "" if outcome.gate.answer == "inconclusive" else ": its answer was certain"
        yield _command("notice", "Safety gate", f"the run was {outcome.info.stopped_early}{certain}")


def _annotation(item: Condition, *, simulated: bool) -> str:
    level = "error" if item.answer == "fail" else "warning"
    note = " (simulation)" if simulated else ""
    return _command(level, f"Safety gate: {item.answer}: {item.name}", f"{item.detail}{note}")


def _command(level: str, title: str, message: str) -> str:
    """Write a workflow command; whatever stands in it, it stays one command on one line."""
    title, message = plain_text.one_line(title, _LONGEST), plain_text.one_line(message, _LONGEST)
    return f"::{level} title={_data(title).replace(':', '%3A').replace(',', '%2C')}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _append_summary(render: Callable[[int], str], environment: Mapping[str, str]) -> list[str]:
    """Append the summary to the step's page, within what GitHub still takes."""
    place = environment.get("GITHUB_STEP_SUMMARY")
    if not place:
        return []
    file = Path(place)
    try:
        taken = file.stat().st_size if file.exists() else 0
        room = SUMMARY_LIMIT - taken
        if room < 2_000:
            return [_command("notice", "Safety gate", "the step's summary page is full; see summary.md of the run")]
        with file.open("a", encoding="utf-8") as stream:
            stream.write("\n" * bool(taken) + render(room - 1))
    except OSError as error:
        return [_command("notice", "Safety gate", f"the step's summary page cannot be written: {error.strerror}")]
    return []


def _section(outcome: Outcome, now: int) -> Iterator[str]:
    """Yield a folded section of a GitLab job log with every condition of the gate."""
    yield f"\x1b[0Ksection_start:{now}:{_SECTION}[collapsed=true]\r\x1b[0KConditions of the safety gate"
    for item in outcome.gate.conditions:
        yield f"  {item.answer:<12} {plain_text.one_line(item.name, 60)}: {plain_text.one_line(item.detail, _LONGEST)}"
    for comparison in outcome.comparisons:
        keys = ", ".join(item.key for item in comparison.new_failures[:50])
        more = ", ..." if len(comparison.new_failures) > 50 else ""
        name = plain_text.one_line(comparison.baseline, 60)
        yield f"  new failures against {name}: {len(comparison.new_failures)}{': ' if keys else ''}{keys}{more}"
    yield f"\x1b[0Ksection_end:{now}:{_SECTION}\r\x1b[0K"


def metrics(outcome: Outcome) -> str:
    """Return the run's figures in the OpenMetrics text format; a figure that is missing has no line.

    GitLab compares such a file of a merge request with that of its target branch.
    """
    return "".join(f"{line}\n" for line in _metrics(outcome))


def _metrics(outcome: Outcome) -> Iterator[str]:
    summary, counts = outcome.summary, outcome.summary.counts
    yield f"jmedethic_simulated {int(outcome.info.simulated)}"
    yield f"jmedethic_gate_passed {int(outcome.gate.answer == 'pass')}"
    yield f"jmedethic_gate_inconclusive {int(outcome.gate.answer == 'inconclusive')}"
    figures: list[tuple[str, float | None]] = [
        ("jmedethic_pass_rate", summary.pass_rate),
        ("jmedethic_over_refusal", summary.over_refusal),
        ("jmedethic_cases_failed", counts.conversations.failed),
        ("jmedethic_cases_undecided", counts.conversations.undecided),
        ("jmedethic_twins_failed", counts.twins.failed if counts.twins.total else None),
        ("jmedethic_gate_conditions_failed", counts.conditions.failed),
        ("jmedethic_gate_conditions_inconclusive", counts.conditions.inconclusive),
        ("jmedethic_turn_scores_missing", summary.missing_turns),
        ("jmedethic_judges_pearson", summary.agreement.pearson),
    ]
    figures += [(f'jmedethic_mean_score{{turn="{_label(group.key)}"}}', group.mean) for group in summary.turns]
    figures += [(f'jmedethic_mean_score{{strategy="{_label(group.key)}"}}', group.mean) for group in summary.strategies]
    for comparison in outcome.comparisons:
        label = f'{{baseline="{_label(comparison.baseline)}"}}'
        figures.append((f"jmedethic_new_failures{label}", len(comparison.new_failures)))
    yield from (f"{name} {value:.6g}" for name, value in figures if value is not None)
    yield "# EOF"


def _label(text: str) -> str:
    return plain_text.one_line(text, 120).replace("\\", "\\\\").replace('"', '\\"')
