"""The summary as Markdown: for a file, for a page of continuous integration, for a comment on a pull request.

It never contains text of a model: ids, figures, and names that the user chose. Names are shown as code, so that no
sign in them means anything. A text with a limit is cut between rows, the least needed parts first, and says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from jmedethic_pytest.analysis.noninferiority.records import SHARES, Comparison, Endpoint
from jmedethic_pytest.analysis.robustness import Robustness
from jmedethic_pytest.analysis.summary import Distribution
from jmedethic_pytest.analysis.survival.records import Survival
from jmedethic_pytest.core import text as plain_text
from jmedethic_pytest.core.records import Answer, Gate
from jmedethic_pytest.gate.outcome import Outcome
from jmedethic_pytest.reports import counted, looks
from jmedethic_pytest.reports.attacks import attack_lines
from jmedethic_pytest.reports.provenance import provenance_lines
from jmedethic_pytest.reports.terminal import robustness as rewording
from jmedethic_pytest.reports.terminal.findings import finding_lines
from jmedethic_pytest.reports.terminal.tiers import answered, said
from jmedethic_pytest.reports.wording import (
    SIMULATION,
    interval,
    number,
    points,
    points_interval,
    share,
    share_interval,
)

MARKER = "<!-- jmedethic-pytest -->"
"""First line of a comment, by which the next run finds and replaces it."""
COMMENT_LIMIT = 60_000
"""Bytes of a comment: GitHub takes 65,536 characters, and GitLab more."""
_MARK: dict[Answer, str] = {"pass": "✅", "fail": "❌", "inconclusive": "⚠️"}
_CUT = "> Cut here to fit. The whole text is `summary.md` in the run's folder."


class Block(NamedTuple):
    """A part of the text; only its rows may be cut."""

    head: tuple[str, ...]
    rows: tuple[str, ...] = ()
    tail: tuple[str, ...] = ("",)


def render(outcome: Outcome, limit: int | None = None) -> str:
    """Return the summary of a run as GitHub-flavoured Markdown.

    Args:
        outcome: the run.
        limit: bytes it may have at most, ``None`` for all it takes.
    """
    return _fit(_blocks(outcome), limit)


def comment(outcome: Outcome) -> str:
    """Return the summary as a comment that the next run can find again and replace."""
    return f"{MARKER}\n{render(outcome, COMMENT_LIMIT)}"


def code(name: str) -> str:
    """Return a name as code that fits into a cell of a table; nothing in it is markup."""
    return "`" + plain_text.one_line(name, 120).replace("`", "'").replace("|", "\\|") + "`"


def sentence(text: str) -> str:
    """Return a sentence of ours in which no sign of a name it quotes is markup, a link or a mention."""
    text = re.sub(r"[&<>@#]", lambda found: f"&#{ord(found[0])};", plain_text.one_line(text, 600))
    text = re.sub(r"([\\`*|~$]|^\[|!(?=\[)|(?<=\])[(\[]|(?<!\w)_|_(?!\w))", r"\\\1", text)
    return text.replace("://", "&#58;//").replace("www.", "www&#46;")


def _fit(blocks: Iterator[Block], limit: int | None) -> str:
    """Join the blocks; if they are too long leave out rows, then whole blocks, from the end."""
    if limit is None:
        return "".join(f"{line}\n" for block in blocks for line in (*block.head, *block.rows, *block.tail))
    text, room = "", limit - len(f"\n{_CUT}\n".encode())
    for block in blocks:
        frame = "".join(f"{line}\n" for line in (*block.head, *block.tail))
        free = room - len((text + frame).encode())
        if free < 0:
            return f"{text}{_CUT}\n"
        kept = _that_fit(block.rows, free)
        text += "".join(f"{line}\n" for line in (*block.head, *kept, *block.tail))
        if len(kept) < len(block.rows):
            return f"{text}{_CUT}\n"
    return text


def _that_fit(rows: Sequence[str], free: int) -> list[str]:
    kept: list[str] = []
    for row in rows:
        free -= len(row.encode()) + 1
        if free < 0:
            break
        kept.append(row)
    return kept


# ---------------------------------------------------------------- the parts, most needed first


def _blocks(outcome: Outcome) -> Iterator[Block]:
    summary = outcome.summary
    yield _opening(outcome)
    yield from tiers(outcome.gate)
    yield _reasons(outcome.gate)
    for comparison in outcome.comparisons:
        yield from _comparison(comparison)
    yield _table("turn", [(group.key, group) for group in summary.turns])
    strategies = [
        (f"{group.key} {outcome.info.words.strategy(group.key).name['en']}", group) for group in summary.strategies
    ]
    yield _table("strategy", strategies, last="cases with a turn <= 2")
    for survival in summary.survival:
        if survival.kind == "long" and survival.turns:
            yield _survival(survival)
    yield _conditions(outcome.gate)
    found = tuple(plain_text.line(line).replace("```", "'''") for line in finding_lines(summary))
    yield Block(("Intervals are 95 %, clustered by guideline.", "", "```text"), found, ("```", ""))
    if summary.robustness is not None:
        yield _robustness(summary.robustness)
    if summary.adaptive is not None:
        attacked = tuple(plain_text.line(line).replace("```", "'''") for line in attack_lines(summary.adaptive))
        yield Block(("### Adaptive attack", "", "```text"), attacked, ("```", ""))
    shown = f"`jmedethic show {outcome.info.id} CASE` shows one conversation."
    yield Block((f"Run {code(outcome.info.id)}. {shown}",), tail=())


def _opening(outcome: Outcome) -> Block:
    summary, info, gate = outcome.summary, outcome.info, outcome.gate
    where = f" ({info.stopped_early})" if info.stopped_early else ""
    lines = [f"## {_MARK[gate.answer]} Safety gate: {gate.answer}{where}", ""]
    lines += [f"> {SIMULATION}", ""] if info.simulated else []
    judges = ", ".join(code(str(judge["model"])) for judge in info.judges) or "none"
    judges += f", third judge {code(str(info.third['model']))}" if info.third is not None else ""
    rate = f"pass rate {share(summary.pass_rate)} {share_interval(summary.pass_interval)}"
    lines += [
        f"Target {code(str(info.target['model']))}, judges {judges}: "
        f"{summary.scored} of {summary.selected} cases scored, {rate}.",
        f"{counted.line(summary.counts)}.",
        "Scores run from 1 to 10; 10 is safe.",
        "",
        *(part for line in looks.told(info, gate.answer) for part in (sentence(line.en), "")),
        *(part for line in provenance_lines(outcome) for part in (f"{sentence(line)}.", "")),
    ]
    lines += [f"Note: {sentence(info.note)}", ""] if info.note else []
    return Block(tuple(lines), tail=())


def decision(gate: Gate, head: Sequence[str], limit: int | None = None, *, simulated: bool) -> str:
    """Return the answer of several runs together as a comment.

    Args:
        gate: the answer.
        head: what it is of, in lines.
        limit: bytes it may have at most.
        simulated: whether anything is a demo simulation.
    """
    warning = (f"> {SIMULATION}", "") if simulated else ()
    opening = (MARKER, f"## {_MARK[gate.answer]} Safety gate: {gate.answer}", "", *warning, *map(sentence, head), "")
    return _fit(iter([Block(opening, tail=()), *tiers(gate), _reasons(gate), _conditions(gate)]), limit)


def tiers(gate: Gate) -> Iterator[Block]:
    """Yield what each suite came to under a policy."""
    if gate.parts:
        rows = (
            f"| {part.tier} | {f'{_MARK[part.answer]} ' if part.answer else ''}{answered(part)} | {code(part.name)} "
            f"| {sentence(said(part))} |"
            for part in gate.parts
        )
        yield Block(("| tier | answer | suite | |", "|---|---|---|---|"), tuple(rows))


def _reasons(gate: Gate) -> Block:
    """Say what keeps the gate from passing, as the gate ordered it."""
    if not gate.reasons:
        return Block((), tail=())
    rows = tuple(f"* {sentence(reason)}" for reason in gate.reasons)
    return Block(("**Why not pass:**", ""), rows)


def _conditions(gate: Gate) -> Block:
    rows = tuple(
        f"| {_MARK[item.answer]} {item.answer} | {sentence(item.name)} | {sentence(item.detail)} |"
        for item in gate.conditions
    )
    head = (
        f"<details><summary>All {len(rows)} conditions of the gate</summary>",
        "",
        "| | condition | |",
        "|---|---|---|",
    )
    return Block(head, rows, ("", "</details>", ""))


def _table(title: str, groups: Sequence[tuple[str, Distribution]], *, last: str = "share <= 2") -> Block:
    head = (f"| {title} | n | missing | median | mean | 95% | {last} |", "|---|---:|---:|---:|---:|---|---:|")
    rows = []
    for label, group in groups:
        figures = (
            number(group.median, 1),
            number(group.mean),
            interval(group.mean_interval),
            share(group.share_jailbreak),
        )
        rows.append(f"| {sentence(label)} | {group.n} | {group.missing} | {' | '.join(figures)} |")
    return Block(head, tuple(rows))


def _robustness(found: Robustness) -> Block:
    """Show what other words change, by kind, beside an unchanged repeat."""
    head = (
        "### The same requests in other words",
        "",
        "| kind | n | missing | new failures | fixed | flips | in the repeat | excess | interval | net | interval |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---|---:|---|",
    )
    rows = []
    for item in (found.whole, *found.by_kind):
        counts = (item.conversations, item.missing, item.new_failures, item.fixed)
        spans = [f"{points(each.value)} | {points_interval(each)}" for each in (item.excess, item.net)]
        figures = (*map(str, counts), share(item.flips.value), share(item.repeat_flips.value), *spans)
        rows.append(f"| {rewording.name(item)} | {' | '.join(figures)} |")
    return Block(head, tuple(rows), ("", *(f"* {sentence(line)}" for line in rewording.notes(found)), ""))


def _survival(found: Survival) -> Block:
    """Show how many conversations are still safe after each turn."""
    head = ("| turn | still safe before | fell | of those | safe up to here | 95% |", "|---|---:|---:|---:|---:|---|")
    rows = tuple(
        f"| {turn.turn} | {turn.at_risk} | {turn.fell} | {share(turn.hazard)} | {share(turn.safe.value)} "
        f"| {share_interval(turn.safe)} |"
        for turn in found.turns
    )
    return Block(head, rows)


def _comparison(found: Comparison) -> Iterator[Block]:
    """Show a baseline: endpoint by endpoint, then the cases that are red only now."""
    title = f"### {_MARK[found.answer]} Against baseline {code(found.baseline)}: {found.answer}"
    told = [*found.obstacles, *(doubt.detail for doubt in found.doubts), *found.notices]
    lines = [title, "", *(f"* {sentence(item)}" for item in told)]
    lines += [""] if told else []
    if found.endpoints:
        lines += [
            f"{found.pairs} pairs. Candidate minus baseline; above zero is safer. "
            f"Intervals are {100 * (1 - 2 * found.alpha):.4g} %{', repeated' if found.repeated else ''}.",
            "",
            "| | endpoint | baseline | now | difference | interval | margin | missing |",
            "|---|---|---:|---:|---:|---|---:|---:|",
        ]
    yield Block(tuple(lines), tuple(_endpoint(item) for item in found.endpoints))
    if found.single_judge:
        alone = ", ".join(f"{code(judge)} {answer}" for judge, answer in found.single_judge.items())
        yield Block((f"With one judge alone: {alone}.",))
    if found.new_failures:
        yield _new_failures(found)


def _endpoint(item: Endpoint) -> str:
    write, spread = (share, share_interval) if item.name in SHARES else (number, interval)
    figures = (
        write(item.baseline),
        write(item.candidate),
        write(item.difference.value),
        spread(item.difference),
        write(item.margin),
        str(item.missing),
    )
    return f"| {_MARK[item.answer]} {item.answer} | {sentence(item.name)} | {' | '.join(figures)} |"


def _new_failures(found: Comparison) -> Block:
    """List the cases by id, with the turn that fell and its score before and now."""
    count, fixed = len(found.new_failures), len(found.fixed)
    head = (
        f"<details><summary>{count} new failures ({found.known_failures} known, {fixed} fixed)</summary>",
        "",
        "| case | strategy | turn | baseline | now |",
        "|---|---|---|---:|---:|",
    )
    rows = []
    for item in found.new_failures:
        before, now = (_at(scores, item.turn) for scores in (item.baseline, item.candidate))
        turn = "-" if item.turn is None else f"T{item.turn}"
        rows.append(f"| {code(item.key)} | {sentence(item.strategy)} | {turn} | {before} | {now} |")
    return Block(head, tuple(rows), ("", "</details>", ""))


def _at(scores: Sequence[float | None], turn: int | None) -> str:
    return number(scores[turn], 1) if turn is not None and turn < len(scores) else "-"
