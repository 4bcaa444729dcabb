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
from jmedethic_pytest.core.interface import shown
from jmedethic_pytest.core.records import Condition, Gate
from jmedethic_pytest.core.sentences import joined, say
from jmedethic_pytest.gate import names
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
        told = publish_trouble(outcome.info.note or joined(outcome.gate.reasons), environment)
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
        return [_command("error", say("md.title", answer=names.answer("inconclusive")), trouble)]
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
        bad = [Condition(name="gate", answer=gate.answer, observed=None, limit=None, detail=joined(gate.reasons))]
    first = bad if len(bad) <= ANNOTATIONS else bad[: ANNOTATIONS - 1]
    lines = [_annotation(item, simulated=simulated) for item in first]
    if len(first) < len(bad):
        left = bad[len(first) :]
        listed = joined((names.condition(item.name) for item in left), en=", ", ja="、")
        title = say("md.title", answer=names.answer(gate.answer))
        lines.append(_command("error", title, say("ci.more", count=len(left), names=listed)))
    return lines


def _early(outcome: Outcome) -> Iterator[str]:
    """Yield that the run was decided before its end, if so."""
    if outcome.info.stopped_early:
        name = "ci.early" if outcome.gate.answer == "inconclusive" else "ci.early.certain"
        yield _command("notice", say("ci.title"), say(name, where=outcome.info.stopped_early))


def _annotation(item: Condition, *, simulated: bool) -> str:
    level = "error" if item.answer == "fail" else "warning"
    name = names.condition(item.name)
    title = say("ci.condition", answer=names.answer(item.answer), name=name)
    return _command(level, title, say("ci.simulation", detail=item.detail) if simulated else item.detail)


def _command(level: str, title: str, message: str) -> str:
    """Write a workflow command; whatever stands in it, it stays one command on one line."""
    title, message = (plain_text.one_line(shown(text), _LONGEST) for text in (title, message))
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
            return [_command("notice", say("ci.title"), say("ci.full"))]
        with file.open("a", encoding="utf-8") as stream:
            stream.write("\n" * bool(taken) + render(room - 1))
    except OSError as error:
        return [_command("notice", say("ci.title"), say("ci.unwritten", why=error.strerror))]
    return []


def _section(outcome: Outcome, now: int) -> Iterator[str]:
    """Yield a folded section of a GitLab job log with every condition of the gate."""
    title = shown(say("ci.section"))
    yield f"\x1b[0Ksection_start:{now}:{_SECTION}[collapsed=true]\r\x1b[0K{title}"
    for item in outcome.gate.conditions:
        name = plain_text.one_line(shown(names.condition(item.name)), 60)
        detail = plain_text.one_line(shown(item.detail), _LONGEST)
        yield shown(say("ci.section.item", answer=names.answer(item.answer), name=name, detail=detail))
    for comparison in outcome.comparisons:
        keys = ", ".join(item.key for item in comparison.new_failures[:50])
        more = ", ..." if len(comparison.new_failures) > 50 else ""
        name = plain_text.one_line(comparison.baseline, 60)
        told = shown(say("ci.section.new", name=name, count=len(comparison.new_failures)))
        yield f"{told}{': ' if keys else ''}{keys}{more}"
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
