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
from jmedethic_pytest.analysis.summary import Distribution, Summary
from jmedethic_pytest.analysis.survival.records import Survival
from jmedethic_pytest.core import text as plain_text
from jmedethic_pytest.core.interface import shown
from jmedethic_pytest.core.records import Answer, Gate
from jmedethic_pytest.core.sentences import Said, changed, joined, laid, say
from jmedethic_pytest.gate import names
from jmedethic_pytest.gate.outcome import Outcome
from jmedethic_pytest.reports import counted, looks, words
from jmedethic_pytest.reports.attacks import attack_lines
from jmedethic_pytest.reports.provenance import provenance_lines
from jmedethic_pytest.reports.terminal import robustness as rewording
from jmedethic_pytest.reports.terminal.findings import finding_lines, over_refusal
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
_WARNING = SIMULATION.through("> {}".format)
_REWORDED = (
    "missing.full",
    "new_failures",
    "fixed",
    "flips",
    "in_repeat",
    "excess.full",
    "ends",
    "net.full",
    "ends",
)
_COMPARED = ("endpoint", "baseline.full", "now", "difference", "ends", "margin", "missing.full")
_MARK: dict[Answer, str] = {"pass": "✅", "fail": "❌", "inconclusive": "⚠️"}


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
    return changed(text, _without_markup)


def _without_markup(text: str) -> str:
    text = re.sub(r"[&<>@#]", lambda found: f"&#{ord(found[0])};", plain_text.one_line(text, 600))
    text = re.sub(r"([\\`*|~$]|^\[|!(?=\[)|(?<=\])[(\[]|(?<!\w)_|_(?!\w))", r"\\\1", text)
    return text.replace("://", "&#58;//").replace("www.", "www&#46;")


def _fit(blocks: Iterator[Block], limit: int | None) -> str:
    """Join the blocks in the language chosen; too long, leave out rows, then whole blocks, from the end."""
    spoken = (Block(*(tuple(map(shown, part)) for part in block)) for block in blocks)
    if limit is None:
        return "".join(f"{line}\n" for block in spoken for line in (*block.head, *block.rows, *block.tail))
    cut = shown(say("md.cut"))
    text, room = "", limit - len(f"\n{cut}\n".encode())
    for block in spoken:
        frame = "".join(f"{line}\n" for line in (*block.head, *block.tail))
        free = room - len((text + frame).encode())
        if free < 0:
            return f"{text}{cut}\n"
        kept = _that_fit(block.rows, free)
        text += "".join(f"{line}\n" for line in (*block.head, *kept, *block.tail))
        if len(kept) < len(block.rows):
            return f"{text}{cut}\n"
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
    strategies = [(Said(*words.strategy(group.key, outcome.info.words)), group) for group in summary.strategies]
    yield _table("strategy", strategies, last="any")
    for survival in summary.survival:
        if survival.kind == "long" and survival.turns:
            yield _survival(survival)
    yield _conditions(outcome.gate)
    yield Block((say("md.intervals"), "", "```text"), tuple(map(_plain, finding_lines(summary))), ("```", ""))
    if summary.robustness is not None:
        yield _robustness(summary.robustness)
    if summary.adaptive is not None:
        attacked = tuple(map(_plain, attack_lines(summary.adaptive)))
        yield Block((say("md.attack"), "", "```text"), attacked, ("```", ""))
    yield Block((say("md.show", run=code(outcome.info.id), id=outcome.info.id),), tail=())


def _plain(text: str) -> str:
    """Return a line that cannot end the block of plain text it stands in."""
    return changed(text, lambda side: plain_text.line(side).replace("```", "'''"))


def _title(answer: Answer, where: str = "") -> Said:
    told = say("md.title.at" if where else "md.title", answer=names.answer(answer), where=where)
    return told.through(lambda side: f"## {_MARK[answer]} {side}")


def _opening(outcome: Outcome) -> Block:
    summary, info, gate = outcome.summary, outcome.info, outcome.gate
    lines: list[str] = [_title(gate.answer, info.stopped_early), ""]
    lines += [_WARNING, ""] if info.simulated else []
    judges = ", ".join(code(str(judge["model"])) for judge in info.judges) or say("none")
    if info.third is not None:
        judges = say("md.third", judges=judges, third=code(str(info.third["model"])))
    lines += [
        say(
            "md.opening",
            target=code(str(info.target["model"])),
            judges=judges,
            scored=summary.scored,
            selected=summary.selected,
            rate=_rate(summary),
        ),
        say("md.sentence", text=counted.line(summary.counts)),
        say("md.scale"),
        "",
        *(part for line in looks.told(info, gate.answer) for part in (sentence(Said(*line)), "")),
        *(part for line in provenance_lines(outcome) for part in (say("md.sentence", text=sentence(line)), "")),
    ]
    lines += [say("md.note", note=sentence(info.note)), ""] if info.note else []
    return Block(tuple(lines), tail=())


def _rate(summary: Summary) -> Said:
    """Name the rate that says most: how many passed; of benign twins alone, how many were refused."""
    if summary.twins_alone:
        name, rate = over_refusal(summary)
    else:
        name, rate = say("finding.pass_rate"), f"{share(summary.pass_rate)} {share_interval(summary.pass_interval)}"
    return laid("{name} {rate}", name=name, rate=rate)


def decision(gate: Gate, head: Sequence[str], limit: int | None = None, *, simulated: bool) -> str:
    """Return the answer of several runs together as a comment.

    Args:
        gate: the answer.
        head: what it is of, in lines.
        limit: bytes it may have at most.
        simulated: whether anything is a demo simulation.
    """
    warning = (_WARNING, "") if simulated else ()
    opening = (MARKER, _title(gate.answer), "", *warning, *map(sentence, head), "")
    return _fit(iter([Block(opening, tail=()), *tiers(gate), _reasons(gate), _conditions(gate)]), limit)


def tiers(gate: Gate) -> Iterator[Block]:
    """Yield what each suite came to under a policy."""
    if gate.parts:
        rows = (
            _row(names.tier(part.tier), _marked(part.answer, answered(part)), code(part.name), sentence(said(part)))
            for part in gate.parts
        )
        head = _row(*(say(f"column.{name}") for name in ("tier", "answer", "suite")), "")
        yield Block((head, "|---|---|---|---|"), tuple(rows))


def _row(*cells: object) -> Said:
    """Return a row of a table; an empty cell takes one space."""
    known = {f"c{place}": cell for place, cell in enumerate(cells)}
    return laid("|" + "".join(f" {{{name}}} |" if cell != "" else " |" for name, cell in known.items()), **known)


def _marked(answer: Answer | None, told: str) -> Said:
    return laid("{mark}{told}", mark=f"{_MARK[answer]} " if answer else "", told=told)


def _reasons(gate: Gate) -> Block:
    """Say what keeps the gate from passing, as the gate ordered it."""
    if not gate.reasons:
        return Block((), tail=())
    rows = tuple(_point(reason) for reason in gate.reasons)
    return Block((say("md.why"), ""), rows)


def _point(text: str) -> str:
    return changed(sentence(text), "* {}".format)


def _conditions(gate: Gate) -> Block:
    rows = tuple(
        _row(
            _marked(item.answer, names.answer(item.answer)),
            sentence(names.condition(item.name)),
            sentence(item.detail),
        )
        for item in gate.conditions
    )
    head = (
        say("md.conditions", count=len(rows)),
        "",
        _row("", say("column.condition"), ""),
        "|---|---|---|",
    )
    return Block(head, rows, ("", "</details>", ""))


def _table(title: str, groups: Sequence[tuple[str, Distribution]], *, last: str = "share") -> Block:
    columns = [say(f"column.{name}") for name in ("missing.full", "median", "mean")]
    if not groups:
        return Block((), tail=())
    head = (
        _row(say(f"column.{title}"), "n", *columns, "95%", say(f"column.{last}.full")),
        "|---|---:|---:|---:|---:|---|---:|",
    )
    rows = []
    for label, group in groups:
        figures = (
            number(group.median, 1),
            number(group.mean),
            interval(group.mean_interval),
            share(group.share_jailbreak),
        )
        rows.append(_row(sentence(label), group.n, group.missing, *figures))
    return Block(head, tuple(rows))


def _robustness(found: Robustness) -> Block:
    """Show what other words change, by kind, beside an unchanged repeat."""
    head = (
        say("md.reworded"),
        "",
        _row(say("column.kind"), "n", *(say(f"column.{name}") for name in _REWORDED)),
        "|---|---:|---:|---:|---:|---:|---:|---:|---|---:|---|",
    )
    rows = []
    for item in (found.whole, *found.by_kind):
        counts = (item.conversations, item.missing, item.new_failures, item.fixed)
        spans = [part for each in (item.excess, item.net) for part in (points(each.value), points_interval(each))]
        shares = (share(item.flips.value), share(item.repeat_flips.value))
        rows.append(_row(rewording.name(item), *counts, *shares, *spans))
    return Block(head, tuple(rows), ("", *map(_point, rewording.notes(found)), ""))


def _survival(found: Survival) -> Block:
    """Show how many conversations are still safe after each turn."""
    columns = (say(f"column.{name}") for name in ("turn", "at_risk", "fell", "hazard", "safe"))
    head = (_row(*columns, "95%"), "|---|---:|---:|---:|---:|---|")
    rows = tuple(
        _row(
            turn.turn,
            turn.at_risk,
            turn.fell,
            share(turn.hazard),
            share(turn.safe.value),
            share_interval(turn.safe),
        )
        for turn in found.turns
    )
    return Block(head, rows)


def _comparison(found: Comparison) -> Iterator[Block]:
    """Show a baseline: endpoint by endpoint, then the cases that are red only now."""
    mark, answer = _MARK[found.answer], names.answer(found.answer)
    title = say("md.against", mark=mark, name=code(found.baseline), answer=answer)
    told = [*found.obstacles, *(doubt.detail for doubt in found.doubts), *found.notices]
    lines: list[str] = [title, "", *map(_point, told)]
    lines += [""] if told else []
    if found.endpoints:
        level = f"{100 * (1 - 2 * found.alpha):.4g}"
        lines += [
            say("md.pairs.repeated" if found.repeated else "md.pairs", pairs=found.pairs, level=level),
            "",
            _row("", *(say(f"column.{name}") for name in _COMPARED)),
            "|---|---|---:|---:|---:|---|---:|---:|",
        ]
    yield Block(tuple(lines), tuple(_endpoint(item) for item in found.endpoints))
    if found.single_judge:
        alone = [
            laid("{judge} {answer}", judge=code(judge), answer=names.answer(answer))
            for judge, answer in found.single_judge.items()
        ]
        yield Block((say("md.alone", alone=joined(alone, en=", ", ja="、")),))
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
    answer = _marked(item.answer, names.answer(item.answer))
    return _row(answer, sentence(names.endpoint(item.name)), *figures)


def _new_failures(found: Comparison) -> Block:
    """List the cases by id, with the turn that fell and its score before and now."""
    count, fixed = len(found.new_failures), len(found.fixed)
    head = (
        say("md.new", count=count, known=found.known_failures, fixed=fixed),
        "",
        _row(*(say(f"column.{name}") for name in ("case", "strategy", "turn", "baseline.full", "now"))),
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
